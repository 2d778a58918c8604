// Turns a CustomResourceDefinition into the kinds it defines, one per served version. Nothing about any group is known here.
import { compileRules, type RuleTree } from '../cel/rule-tree.ts';
import { validateRules } from '../cel/validate.ts';
import { isObject, type Json, type KubeObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { ageColumn, ageOf } from '../table/age.ts';
import { compileJsonPath } from './json-path.ts';
import type { Column, ResourceType } from './resource-type.ts';

/** The kinds of an accepted definition, its storage version first. */
export function typesOf(definition: KubeObject): ResourceType[] {
  const { spec } = definition;
  const names = objectAt(spec, 'names');
  const kind = stringAt(names, 'kind');
  return listAt(spec, 'versions')
    .filter((version) => objectAt(version).served === true)
    .sort((a, b) => Number(objectAt(b).storage === true) - Number(objectAt(a).storage === true))
    .map((version) => {
      const schema = objectAt(version, 'schema', 'openAPIV3Schema') as Schema;
      const hasStatus = isObject(valueAt(version, 'subresources', 'status'));
      return {
        group: stringAt(spec, 'group'),
        version: stringAt(version, 'name'),
        kind,
        plural: stringAt(names, 'plural'),
        singular: stringAt(names, 'singular') || kind.toLowerCase(),
        shortNames: listAt(names, 'shortNames').map(String),
        categories: listAt(names, 'categories').map(String),
        namespaced: stringAt(spec, 'scope') === 'Namespaced',
        schema: { ...schema, ...(valueAt(spec, 'preserveUnknownFields') === true ? keepAll : {}) },
        hasStatus,
        subresources: [],
        hasCollectionDelete: true,
        hasGeneration: true,
        isBuiltIn: false,
        columns: columnsOf(listAt(version, 'additionalPrinterColumns')),
        // The definition spells paths with a leading dot, selectors without.
        selectableFields: listAt(version, 'selectableFields').map((one) =>
          stringAt(one, 'jsonPath').slice(1),
        ),
        nameRule: 'subdomain',
        ...(hasRules(schema) && { objectRules: rulesOf(schema) }),
      };
    });
}

const keepAll: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

function hasRules(schema: Schema): boolean {
  return JSON.stringify(schema).includes('"x-kubernetes-validations":');
}

/** The rules are compiled when the first object comes, so that a start does not wait for those of idle kinds. */
function rulesOf(schema: Schema): NonNullable<ResourceType['objectRules']> {
  let tree: RuleTree | undefined;
  return (object, old) => {
    tree ??= compileRules(schema, 'openAPIV3Schema');
    const [refused] = tree.faults;
    if (refused) throw new Error(`Cannot validate a ${object.kind}: ${refused.field}: ${refused.message}`);
    return tree.root ? validateRules(tree.root, object, old) : [];
  };
}

function columnsOf(columns: readonly Json[]): Column[] {
  if (columns.length === 0) return [ageColumn];
  return columns.map((column) => {
    const read = compileJsonPath(stringAt(column, 'jsonPath'));
    const type = stringAt(column, 'type') as Column['type'];
    const priority = objectAt(column).priority;
    return {
      name: stringAt(column, 'name'),
      type,
      format: stringAt(column, 'format'),
      description:
        stringAt(column, 'description') ||
        `Custom resource definition column (in JSONPath format): ${stringAt(column, 'jsonPath')}`,
      priority: typeof priority === 'number' ? priority : 0,
      value: (object) => {
        const found = read(object);
        if (type === 'date') return ageOf(found) ?? '<unknown>';
        return isObject(found) || Array.isArray(found) ? JSON.stringify(found) : found;
      },
    };
  });
}
