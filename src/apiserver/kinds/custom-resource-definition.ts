// apiextensions.k8s.io/v1 CustomResourceDefinition: its own shape and rules. What it defines is custom.ts's work.
import { compileRules } from '../cel/rule-tree.ts';
import {
  isEqual,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  listAt,
  objectAt,
  stringAt,
} from '../json.ts';
import { timestamp } from '../objects/timestamp.ts';
import {
  anything,
  atomicList,
  boolean,
  listByKey,
  listOf,
  openObject,
  type Schema,
  string,
} from '../schema/schema.ts';
import { invalidShown, invalidValue, requiredValue, unsupportedValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { conditionList } from './conditions.ts';
import { compileJsonPath } from './json-path.ts';
import { builtIn } from './resource-type.ts';

const names = openObject({
  plural: string,
  singular: string,
  kind: string,
  listKind: string,
  shortNames: atomicList(string),
  categories: atomicList(string),
});

const column: Schema = openObject(
  {
    name: string,
    jsonPath: string,
    type: { type: 'string', enum: ['boolean', 'date', 'integer', 'number', 'string'] },
  },
  ['name', 'jsonPath', 'type'],
);

const version = openObject(
  {
    name: string,
    served: boolean,
    storage: boolean,
    schema: openObject({ openAPIV3Schema: anything }),
    additionalPrinterColumns: listOf(column),
    selectableFields: listOf(openObject({ jsonPath: string }, ['jsonPath'])),
    subresources: openObject({}),
  },
  ['name', 'served', 'storage'],
);

export const definitionType = builtIn({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: true,
  // What must be there, its rules say, and all of it at once.
  schema: openObject({
    spec: openObject({ group: string, scope: string, names, versions: listByKey(['name'], version) }),
    status: openObject({ conditions: conditionList }),
  }),
  columns: [
    {
      name: 'Created At',
      type: 'date',
      value: (definition) => definition.metadata.creationTimestamp,
    },
  ],
  prepare(definition, old) {
    const spec = objectAt(definition, 'spec');
    const kind = stringAt(spec, 'names', 'kind');
    if (isObject(spec.names) && kind !== '') {
      spec.names.singular ??= kind.toLowerCase();
      spec.names.listKind ??= `${kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
    const storage = listAt(spec, 'versions').find((one) => objectAt(one).storage === true);
    const before = listAt(old, 'status', 'storedVersions');
    const stored = stringAt(storage, 'name');
    definition.status = {
      conditions:
        listAt(old, 'status', 'conditions').length > 0 ? listAt(old, 'status', 'conditions') : established(),
      acceptedNames: structuredClone(objectAt(spec, 'names')),
      storedVersions: stored === '' || before.includes(stored) ? [...before] : [...before, stored],
    };
  },
  objectRules: definitionRules,
});

/** This server serves a definition as soon as it is stored, so both conditions hold from the start. */
function established() {
  const lastTransitionTime = timestamp();
  return [
    {
      type: 'NamesAccepted',
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
      lastTransitionTime,
    },
    {
      type: 'Established',
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
      lastTransitionTime,
    },
  ];
}

function definitionRules(definition: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  const spec = objectAt(definition, 'spec');
  const expected = `${stringAt(spec, 'names', 'plural')}.${stringAt(spec, 'group')}`;
  const { name } = definition.metadata;
  if (name !== expected) {
    faults.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (stringAt(spec, 'group') === '') faults.push(requiredValue('spec.group'));
  faults.push(...scopeFaults(stringAt(spec, 'scope')));
  const versions = listAt(spec, 'versions');
  faults.push(...storageFaults(spec.versions));
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    if (stringAt(spec, 'names', field) === '') faults.push(requiredValue(`spec.names.${field}`));
  }
  if (listAt(definition, 'status', 'storedVersions').length === 0) {
    faults.push(invalidValue('status.storedVersions', null, 'must have at least one stored version'));
  }
  // The real server holds a schema that all versions share apart from them, and blames it there.
  const schemas = versions.map((one) => objectAt(one, 'schema').openAPIV3Schema);
  const haveOneSchema = schemas.every((schema) => isEqual(schema, schemas[0]));
  for (const [index, one] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const schemaPath = haveOneSchema ? 'spec.validation.openAPIV3Schema' : `${path}.schema.openAPIV3Schema`;
    const schema = objectAt(one, 'schema').openAPIV3Schema;
    if (!isObject(schema)) {
      faults.push(requiredValue(`${path}.schema.openAPIV3Schema`));
    } else if (!haveOneSchema || index === 0) {
      faults.push(...structuralFaults(schema as Schema, schemaPath));
      faults.push(...compileRules(schema as Schema, schemaPath).faults);
    }
    for (const [place, column] of listAt(one, 'additionalPrinterColumns').entries()) {
      const jsonPath = stringAt(column, 'jsonPath');
      const why = jsonPathFault(jsonPath);
      if (why)
        faults.push(invalidValue(`${path}.additionalPrinterColumns[${place}].jsonPath`, jsonPath, why));
    }
  }
  if (old && stringAt(old, 'spec', 'scope') !== stringAt(spec, 'scope')) {
    faults.push(invalidValue('spec.scope', spec.scope, 'field is immutable'));
  }
  return faults;
}

function scopeFaults(scope: string): FieldFault[] {
  if (scope === '') return [requiredValue('spec.scope')];
  const scopes = ['Cluster', 'Namespaced'];
  return scopes.includes(scope) ? [] : [unsupportedValue('spec.scope', scope, scopes)];
}

/** The real server shows the versions as it keeps them: without what all of them have in common. */
function storageFaults(versions: Json | undefined): FieldFault[] {
  const list = Array.isArray(versions) ? versions.map((one) => objectAt(one)) : [];
  if (list.filter(({ storage }) => storage === true).length === 1) return [];
  const ofEach = (field: string, one: JsonObject) =>
    list.every((other) => isEqual(other[field], one[field])) ? null : (one[field] ?? null);
  const shown = list.map((one) => ({
    Name: one.name ?? '',
    Served: one.served ?? false,
    Storage: one.storage ?? false,
    Deprecated: one.deprecated ?? false,
    DeprecationWarning: one.deprecationWarning ?? null,
    Schema: ofEach('schema', one),
    Subresources: ofEach('subresources', one),
    AdditionalPrinterColumns: ofEach('additionalPrinterColumns', one),
    SelectableFields: ofEach('selectableFields', one),
  }));
  const why = 'must have exactly one version marked as storage version';
  return [invalidShown('spec.versions', JSON.stringify(Array.isArray(versions) ? shown : null), why)];
}

/** Each field and item has a type, unless it keeps what it does not know, or is a number or a string. */
function structuralFaults(schema: Schema, path: string): FieldFault[] {
  const untyped = (below: Schema, at: string, what: string) =>
    below.type || below['x-kubernetes-int-or-string'] || below['x-kubernetes-preserve-unknown-fields']
      ? []
      : [requiredValue(`${at}.type`, `must not be empty for specified ${what}`)];
  const { items, additionalProperties: extra, properties = {} } = schema;
  return [
    ...Object.entries(properties).flatMap(([field, below]) => {
      const at = `${path}.properties[${field}]`;
      return [...untyped(below, at, 'object fields'), ...structuralFaults(below, at)];
    }),
    ...(items
      ? [...untyped(items, `${path}.items`, 'array items'), ...structuralFaults(items, `${path}.items`)]
      : []),
    ...(typeof extra === 'object'
      ? [
          ...untyped(extra, `${path}.additionalProperties`, 'object fields'),
          ...structuralFaults(extra, `${path}.additionalProperties`),
        ]
      : []),
  ];
}

function jsonPathFault(path: string): string | undefined {
  try {
    compileJsonPath(path);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
