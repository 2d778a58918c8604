// Asks the compiled rules of a schema about a value that the schema itself has already passed.
// Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
import { fieldOf, isEqual, isObject, type Json } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { forbiddenValue, invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { evaluationFault, optionalOf, type Variables } from './compile.ts';
import type { PlacedRule, RuleNode } from './rule-tree.ts';

/**
 * The faults of every broken rule; `old` is the stored state, undefined on creation. A rule about a part that an update
 * leaves as it was is not asked again, unless it compares with the state before: an object that became invalid by a
 * stricter rule can still be mended in steps.
 */
export function validateRules(node: RuleNode, value: Json, old: Json | undefined, path = ''): FieldFault[] {
  const faults: FieldFault[] = [];
  ask(node, value, old, path, false, faults);
  return faults;
}

function ask(
  node: RuleNode,
  value: Json,
  old: Json | undefined,
  path: string,
  parentIsUnchanged: boolean,
  faults: FieldFault[],
): void {
  if (value === null) return;
  const isUnchanged = parentIsUnchanged || (old !== undefined && isEqual(value, old));
  const rules = node.rules.filter((rule) => (rule.usesOldSelf ? comparesWith(rule, old) : !isUnchanged));
  if (rules.length > 0) {
    const self = node.type.of(value);
    const before = old === undefined || old === null ? undefined : node.type.of(old);
    for (const rule of rules) {
      const fault = faultOf(rule, node.schema, self, before, path);
      if (fault) faults.push(fault);
    }
  }
  if (Array.isArray(value)) {
    const { items } = node;
    if (!items) return;
    for (const [index, item] of value.entries()) {
      ask(items, item, counterpart(node.schema, item, old), `${path}[${index}]`, isUnchanged, faults);
    }
  } else if (isObject(value)) {
    const oldFields = isObject(old) ? old : {};
    for (const [field, fieldValue] of Object.entries(value)) {
      const named = node.fields.get(field);
      const child = named ?? (isDeclared(node.schema, field) ? undefined : node.values);
      if (!child || fieldValue === undefined) continue;
      const at = named ? (path === '' ? field : `${path}.${field}`) : `${path}[${field}]`;
      ask(child, fieldValue, fieldOf(oldFields, field), at, isUnchanged, faults);
    }
  }
}

function isDeclared(schema: Schema, field: string): boolean {
  return schema.properties !== undefined && Object.hasOwn(schema.properties, field);
}

/** A rule about a change needs a state before, unless it takes that as an optional value. */
function comparesWith(rule: PlacedRule, old: Json | undefined): boolean {
  return rule.source.optionalOldSelf === true || (old !== undefined && old !== null);
}

/** The item of the old list that has the same keys. */
function counterpart(schema: Schema, item: Json, old: Json | undefined): Json | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old)) return undefined;
  return old.find(
    (one) => isObject(one) && isObject(item) && keys.every((key) => isEqual(one[key], item[key])),
  );
}

function faultOf(
  rule: PlacedRule,
  schema: Schema,
  self: unknown,
  old: unknown,
  path: string,
): FieldFault | undefined {
  const variables: Variables = {
    self,
    ...(rule.usesOldSelf && { oldSelf: rule.source.optionalOldSelf ? optionalOf(old) : old }),
  };
  const type = schema.type ?? '';
  try {
    if (rule.evaluate(variables) === true) return undefined;
  } catch (error) {
    const why = evaluationFault(error);
    if (why === undefined) throw error;
    return invalidValue(path, type, `${why} evaluating rule: ${rule.source.rule.trim()}`);
  }
  const message = messageOf(rule, variables);
  const at = `${path}${rule.blamed}`.replace(/^\./, '');
  switch (rule.source.reason) {
    case 'FieldValueForbidden':
      return forbiddenValue(at, message);
    case 'FieldValueRequired':
      return requiredValue(at, message);
    case 'FieldValueDuplicate':
      return {
        field: at,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(type)}`,
      };
    default:
      return invalidValue(at, type, message);
  }
}

function messageOf(rule: PlacedRule, variables: Variables): string {
  return (
    madeMessage(rule, variables) || rule.source.message?.trim() || `failed rule: ${rule.source.rule.trim()}`
  );
}

/** Empty when there is no expression for it, or none that gives one line of text for this value. */
function madeMessage(rule: PlacedRule, variables: Variables): string {
  try {
    const made = rule.message?.(variables);
    return typeof made === 'string' && !/[\r\n]/.test(made) ? made.trim() : '';
  } catch (error) {
    if (evaluationFault(error) === undefined) throw error;
    // The value is refused in any case; the fixed message says why.
    return '';
  }
}
