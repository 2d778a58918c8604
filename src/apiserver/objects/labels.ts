// The rules for label keys and values, and for the label selectors that stand inside of objects.
import { isObject, type Json, type JsonObject, listAt, stringAt } from '../json.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';

const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const keyRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, after an optional DNS subdomain prefix and '/'";

/** What is wrong with a qualified name such as "example.com/role"; undefined when nothing is. */
export function keyFault(key: string): string | undefined {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  if (parts.length > 2) return keyRule;
  if (name.length > 63) return 'name part must be no more than 63 bytes';
  if (!namePart.test(name)) return keyRule;
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix !== undefined && (prefix.length > 253 || !subdomain.test(prefix))) {
    return 'prefix part must be a lowercase RFC 1123 subdomain of at most 253 characters';
  }
  return undefined;
}

function valueFault(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 bytes';
  return value === '' || namePart.test(value) ? undefined : valueRule;
}

/** The faults of a map of labels. */
export function labelMapFaults(labels: Json | undefined, path: string): FieldFault[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const faultyKey = keyFault(key);
    const faultyValue = valueFault(String(value));
    return [
      ...(faultyKey ? [invalidValue(path, key, faultyKey)] : []),
      ...(faultyValue ? [invalidValue(path, value, faultyValue)] : []),
    ];
  });
}

/** The faults of a `metav1.LabelSelector`. */
export function labelSelectorFaults(selector: JsonObject, path: string): FieldFault[] {
  const faults = labelMapFaults(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, one] of listAt(selector, 'matchExpressions').entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const key = stringAt(one, 'key');
    const operator = stringAt(one, 'operator');
    const values = listAt(one, 'values');
    const faultyKey = keyFault(key);
    if (faultyKey) faults.push(invalidValue(`${at}.key`, key, faultyKey));
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) {
        faults.push(requiredValue(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) {
        faults.push(
          forbiddenValue(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
      }
    } else faults.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'));
    for (const [place, value] of values.entries()) {
      const faulty = valueFault(String(value));
      if (faulty) faults.push(invalidValue(`${at}.values[${place}]`, value, faulty));
    }
  }
  return faults;
}
