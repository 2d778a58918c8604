// The rules of a CRD's schema, compiled, in a tree of the shape of the schema. Branches without rules are not there.
import type { Environment } from '@marcbachmann/cel-js';
import { isObject } from '../json.ts';
import type { Schema, ValidationRule } from '../schema/schema.ts';
import { invalidValue, requiredValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { type CompiledRule, compileRule, type RuleFault } from './compile.ts';
import { kubernetesEnvironment } from './environment.ts';
import { parseFieldPath } from './field-path.ts';
import { type CelType, declareTypes } from './types.ts';

export interface RuleNode {
  readonly schema: Schema;
  /** How rules see the value here. */
  readonly type: CelType;
  readonly rules: readonly PlacedRule[];
  readonly fields: ReadonlyMap<string, RuleNode>;
  /** For the fields that have no name in the schema. */
  readonly values: RuleNode | undefined;
  readonly items: RuleNode | undefined;
}

/** A rule, and what its `fieldPath` adds to the path of its value. */
export type PlacedRule = CompiledRule & { readonly blamed: string };

export interface RuleTree {
  /** Undefined when there is no rule. */
  readonly root: RuleNode | undefined;
  /** Of rules that are refused, which are not in the tree. */
  readonly faults: readonly FieldFault[];
}

/** `path` is that of the schema in its definition. */
export function compileRules(schema: Schema, path: string): RuleTree {
  if (!hasRules(schema)) return { root: undefined, faults: [] };
  const environment = kubernetesEnvironment();
  const grower = new Grower(environment, declareTypes(environment, schema));
  return { root: grower.grow(schema, path, undefined), faults: grower.faults };
}

function hasRules(schema: Schema): boolean {
  return (schema['x-kubernetes-validations'] ?? []).length > 0 || childrenOf(schema).some(hasRules);
}

function childrenOf({ properties, additionalProperties: extra, items }: Schema): Schema[] {
  return [
    ...Object.values(properties ?? {}),
    ...(isObject(extra) ? [extra as Schema] : []),
    ...(items ? [items] : []),
  ];
}

class Grower {
  readonly faults: FieldFault[] = [];
  readonly #environment: Environment;
  readonly #types: ReadonlyMap<Schema, CelType>;

  constructor(environment: Environment, types: ReadonlyMap<Schema, CelType>) {
    this.#environment = environment;
    this.#types = types;
  }

  /** `uncorrelated` is the path of the list whose items cannot be found again in the state before. */
  grow(schema: Schema, path: string, uncorrelated: string | undefined): RuleNode | undefined {
    const type = this.#types.get(schema);
    if (!type || !hasRules(schema)) return undefined;
    const rules = (schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
      this.#compile(rule, schema, type, `${path}.x-kubernetes-validations[${index}]`, uncorrelated),
    );
    const fields = new Map<string, RuleNode>();
    for (const [field, fieldSchema] of Object.entries(schema.properties ?? {})) {
      const node = this.grow(fieldSchema, `${path}.properties[${field}]`, uncorrelated);
      if (node) fields.set(field, node);
    }
    const { items, additionalProperties: extra } = schema;
    const isCorrelated = schema['x-kubernetes-list-type'] === 'map';
    return {
      schema,
      type,
      rules,
      fields,
      values: isObject(extra)
        ? this.grow(extra as Schema, `${path}.additionalProperties`, uncorrelated)
        : undefined,
      items: items && this.grow(items, `${path}.items`, isCorrelated ? uncorrelated : (uncorrelated ?? path)),
    };
  }

  #compile(
    source: ValidationRule,
    schema: Schema,
    type: CelType,
    path: string,
    uncorrelated: string | undefined,
  ): PlacedRule[] {
    const fault = (keyword: keyof ValidationRule, why: string) =>
      this.faults.push(invalidValue(`${path}.${keyword}`, source[keyword], why));
    if (!source.rule?.trim()) {
      this.faults.push(requiredValue(`${path}.rule`, 'rule is not specified'));
      return [];
    }
    if (/[\r\n]/.test(source.message ?? '')) fault('message', 'message must not contain line breaks');
    if (source.rule.includes('\n') && !source.message && !source.messageExpression) {
      this.faults.push(
        requiredValue(`${path}.message`, 'message must be specified if rule contains line breaks'),
      );
    }
    const blamed = source.fieldPath === undefined ? '' : parseFieldPath(schema, source.fieldPath);
    if (blamed === undefined) fault('fieldPath', 'fieldPath must be a valid path');
    const oldType = source.optionalOldSelf ? `optional<${type.name}>` : type.name;
    const environment = this.#environment
      .clone()
      .registerVariable('self', type.name)
      .registerVariable('oldSelf', oldType);
    const rule: CompiledRule | RuleFault[] = compileRule(environment, source);
    if (Array.isArray(rule)) {
      for (const { keyword, why } of rule) fault(keyword, why);
      return [];
    }
    if (rule.usesOldSelf && uncorrelated !== undefined) {
      fault(
        'rule',
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`,
      );
    }
    return [{ ...rule, blamed: blamed ?? '' }];
  }
}
