// The small core kinds that hold data for others: ConfigMap, Secret, ServiceAccount, Event, Endpoints; Lease and EndpointSlice.
import { fieldOf, isEqual, type KubeObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';
import { dataKeyFaults } from '../objects/names.ts';
import {
  atomicList,
  boolean,
  integer,
  listByKey,
  listOf,
  openObject,
  type Schema,
  strictObject,
  string,
  stringMap,
} from '../schema/schema.ts';
import { forbiddenValue, invalidValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { ageColumn, ageOf } from '../table/age.ts';
import { endpointSliceFaults } from './endpoint-slice-rules.ts';
import { builtIn } from './resource-type.ts';

const base64Map: Schema = { type: 'object', additionalProperties: { type: 'string', format: 'byte' } };

function countOf(...fields: readonly string[]) {
  return (object: KubeObject) =>
    fields.reduce((sum, field) => sum + Object.keys(objectAt(object, field)).length, 0);
}

/** The rules of ConfigMaps and Secrets: what their keys may be; and those that call themselves immutable are taken at their word. */
function dataFaults(object: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const field of ['data', 'binaryData']) {
    for (const key of Object.keys(objectAt(object, field))) {
      const at = `${field}[${key}]`;
      faults.push(...dataKeyFaults(key).map((why) => invalidValue(at, key, why)));
      if (field === 'data' && fieldOf(objectAt(object, 'binaryData'), key) !== undefined) {
        faults.push(invalidValue(at, key, 'duplicate of key present in binaryData'));
      }
    }
  }
  if (old?.immutable !== true) return faults;
  const why = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) faults.push(forbiddenValue('immutable', why));
  for (const field of ['data', 'binaryData']) {
    if (!isEqual(object[field], old[field])) faults.push(forbiddenValue(field, why));
  }
  return faults;
}

export const configMapType = builtIn({
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  schema: strictObject({ data: stringMap, binaryData: base64Map, immutable: boolean }),
  columns: [{ name: 'Data', type: 'string', value: countOf('data', 'binaryData') }, ageColumn],
  objectRules: dataFaults,
});

export const secretType = builtIn({
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  schema: strictObject({
    data: base64Map,
    stringData: stringMap,
    immutable: boolean,
    type: { type: 'string', default: 'Opaque' },
  }),
  columns: [
    { name: 'Type', type: 'string', value: (secret) => secret.type },
    { name: 'Data', type: 'string', value: countOf('data') },
    ageColumn,
  ],
  selectableFields: ['type'],
  prepare(secret) {
    const plain = Object.entries(objectAt(secret, 'stringData'));
    if (plain.length > 0) {
      const encoded = plain.map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]);
      secret.data = { ...objectAt(secret, 'data'), ...Object.fromEntries(encoded) };
    }
    // Write-only by its definition.
    delete secret.stringData;
  },
  objectRules(secret, old) {
    const faults = dataFaults(secret, old);
    if (old && secret.type !== old.type) {
      faults.unshift(invalidValue('type', secret.type, 'field is immutable'));
    }
    return faults;
  },
});

export const serviceAccountType = builtIn({
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  schema: strictObject({
    automountServiceAccountToken: boolean,
    secrets: listByKey(['name'], openObject({ name: string })),
    imagePullSecrets: atomicList(openObject({ name: string })),
  }),
  columns: [
    { name: 'Secrets', type: 'string', value: (account) => listAt(account, 'secrets').length },
    ageColumn,
  ],
});

export const eventType = builtIn({
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  schema: openObject({
    involvedObject: { ...openObject({}), default: {} },
    reason: string,
    message: string,
    count: integer,
  }),
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      value: (event) => ageOf(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp) ?? '<unknown>',
    },
    { name: 'Type', type: 'string', value: (event) => event.type },
    { name: 'Reason', type: 'string', value: (event) => event.reason },
    {
      name: 'Object',
      type: 'string',
      value: (event) =>
        `${stringAt(event, 'involvedObject', 'kind').toLowerCase()}/${stringAt(event, 'involvedObject', 'name')}`,
    },
    { name: 'Message', type: 'string', value: (event) => stringAt(event, 'message').trim() },
  ],
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
});

export const endpointsType = builtIn({
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  schema: strictObject({ subsets: { type: 'array', items: openObject({}) } }),
  columns: [
    {
      name: 'Endpoints',
      type: 'string',
      value: (endpoints) =>
        listAt(endpoints, 'subsets')
          .flatMap((subset) =>
            listAt(subset, 'ports').flatMap((port) =>
              listAt(subset, 'addresses').map((one) => `${stringAt(one, 'ip')}:${valueAt(port, 'port')}`),
            ),
          )
          .join(',') || '<none>',
    },
    ageColumn,
  ],
});

/** As a table has room for it. */
function shortList(values: readonly unknown[]): string {
  const shown = values.slice(0, 3).join(',') || '<unset>';
  return values.length > 3 ? `${shown} + ${values.length - 3} more...` : shown;
}

export const endpointSliceType = builtIn({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  hasGeneration: true,
  schema: strictObject({
    addressType: string,
    endpoints: atomicList(
      openObject({
        addresses: { ...listOf(string), 'x-kubernetes-list-type': 'set' },
        conditions: { ...openObject({}), default: {} },
      }),
    ),
    ports: atomicList(
      strictObject({
        protocol: { type: 'string', default: 'TCP' },
        name: { type: 'string', default: '' },
        port: integer,
        appProtocol: string,
      }),
    ),
  }),
  columns: [
    { name: 'AddressType', type: 'string', value: (slice) => slice.addressType },
    {
      name: 'Ports',
      type: 'string',
      value: (slice) => shortList(listAt(slice, 'ports').map((port) => valueAt(port, 'port'))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      value: (slice) =>
        shortList(listAt(slice, 'endpoints').flatMap((endpoint) => listAt(endpoint, 'addresses'))),
    },
    ageColumn,
  ],
  objectRules: endpointSliceFaults,
});

export const leaseType = builtIn({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  schema: strictObject({
    spec: {
      ...strictObject({
        holderIdentity: string,
        leaseDurationSeconds: integer,
        acquireTime: { type: 'string', format: 'date-time' },
        renewTime: { type: 'string', format: 'date-time' },
        leaseTransitions: integer,
        strategy: string,
        preferredHolder: string,
      }),
      default: {},
    },
  }),
  columns: [
    { name: 'Holder', type: 'string', value: (lease) => valueAt(lease, 'spec', 'holderIdentity') },
    ageColumn,
  ],
  objectRules(lease) {
    const { leaseDurationSeconds, leaseTransitions } = objectAt(lease, 'spec');
    const faults: FieldFault[] = [];
    if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
      const why = 'must be greater than 0';
      faults.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, why));
    }
    if (typeof leaseTransitions === 'number' && leaseTransitions < 0) {
      const why = 'must be greater than or equal to 0';
      faults.push(invalidValue('spec.leaseTransitions', leaseTransitions, why));
    }
    return faults;
  },
});
