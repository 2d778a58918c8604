// The rules for maps of labels, and for the label selectors that stand inside of objects.
import { isObject, type Json, type JsonObject, listAt, stringAt } from '../json.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { keyFaults, labelValueFaults } from './names.ts';

/** The faults of a map of labels. */
export function labelMapFaults(labels: Json | undefined, path: string): FieldFault[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [
    ...keyFaults(key).map((why) => invalidValue(path, key, why)),
    ...labelValueFaults(String(value)).map((why) => invalidValue(path, value, why)),
  ]);
}

/** The faults of a `metav1.LabelSelector`. */
export function labelSelectorFaults(selector: JsonObject, path: string): FieldFault[] {
  const faults = labelMapFaults(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, one] of listAt(selector, 'matchExpressions').entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const key = stringAt(one, 'key');
    const operator = stringAt(one, 'operator');
    const values = listAt(one, 'values');
    faults.push(...keyFaults(key).map((why) => invalidValue(`${at}.key`, key, why)));
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
      const why = labelValueFaults(String(value));
      faults.push(...why.map((one) => invalidValue(`${at}.values[${place}]`, value, one)));
    }
  }
  return faults;
}
