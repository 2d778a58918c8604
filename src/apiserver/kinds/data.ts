// The small core kinds that hold data for others: ConfigMap, Secret, ServiceAccount, Event, Endpoints; Lease and EndpointSlice.
import { type KubeObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';
import {
  anything,
  boolean,
  integer,
  listByKey,
  openObject,
  type Schema,
  string,
  stringMap,
} from '../schema/schema.ts';
import { forbiddenValue, requiredValue, unsupportedValue } from '../schema/validate.ts';
import { ageColumn, ageOf } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

const base64Map: Schema = { type: 'object', additionalProperties: { type: 'string', format: 'byte' } };

function countOf(...fields: readonly string[]) {
  return (object: KubeObject) =>
    fields.reduce((sum, field) => sum + Object.keys(objectAt(object, field)).length, 0);
}

/** ConfigMaps and Secrets that call themselves immutable are taken at their word. */
function immutability(object: KubeObject, old: KubeObject | undefined) {
  if (old?.immutable !== true) return [];
  return ['data', 'binaryData']
    .filter((field) => JSON.stringify(object[field]) !== JSON.stringify(old[field]))
    .map((field) => forbiddenValue(field, 'field is immutable when `immutable` is set'));
}

export const configMapType = builtIn({
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  schema: openObject({ data: stringMap, binaryData: base64Map, immutable: boolean }),
  columns: [{ name: 'Data', type: 'string', value: countOf('data', 'binaryData') }, ageColumn],
  objectRules: immutability,
});

export const secretType = builtIn({
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  schema: openObject({
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
  objectRules: immutability,
});

export const serviceAccountType = builtIn({
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  schema: openObject({
    automountServiceAccountToken: boolean,
    secrets: listByKey(['name'], openObject({ name: string })),
    imagePullSecrets: listByKey(['name'], openObject({ name: string })),
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
  schema: openObject({ involvedObject: openObject({}), reason: string, message: string, count: integer }, [
    'involvedObject',
  ]),
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
  schema: openObject({ subsets: { type: 'array', items: openObject({}) } }),
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

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];

export const endpointSliceType = builtIn({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  hasGeneration: true,
  schema: openObject({
    addressType: string,
    endpoints: {
      type: 'array',
      items: openObject({ addresses: { type: 'array', items: string } }, ['addresses']),
    },
    ports: {
      type: 'array',
      items: openObject({
        protocol: { type: 'string', default: 'TCP' },
        name: { type: 'string', default: '' },
      }),
      'x-kubernetes-list-type': 'atomic',
    },
  }),
  columns: [
    { name: 'AddressType', type: 'string', value: (slice) => slice.addressType },
    {
      name: 'Ports',
      type: 'string',
      value: (slice) =>
        listAt(slice, 'ports')
          .map((port) => valueAt(port, 'port'))
          .join(',') || '<unset>',
    },
    {
      name: 'Endpoints',
      type: 'string',
      value: (slice) =>
        listAt(slice, 'endpoints')
          .flatMap((endpoint) => listAt(endpoint, 'addresses'))
          .join(',') || '<unset>',
    },
    ageColumn,
  ],
  objectRules(slice) {
    const type = stringAt(slice, 'addressType');
    if (!type) return [requiredValue('addressType')];
    return addressTypes.includes(type) ? [] : [unsupportedValue('addressType', type, addressTypes)];
  },
});

export const leaseType = builtIn({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  schema: openObject({
    spec: openObject({
      holderIdentity: string,
      leaseDurationSeconds: { type: 'integer', minimum: 1 },
      strategy: anything,
    }),
  }),
  columns: [
    { name: 'Holder', type: 'string', value: (lease) => valueAt(lease, 'spec', 'holderIdentity') },
    ageColumn,
  ],
});
