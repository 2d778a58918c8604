// v1 Namespace. Its end is the work of the namespace controller; here is only what it looks like.
import { listAt, objectAt, stringAt, valueAt } from '../json.ts';
import { atomicList, openObject, strictObject, string } from '../schema/schema.ts';
import { invalidValue } from '../schema/validate.ts';
import { ageColumn } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

export const namespaceType = builtIn({
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  hasCollectionDelete: false,
  nameRule: 'label',
  schema: strictObject({
    spec: strictObject({ finalizers: atomicList(string) }),
    status: openObject({ phase: string }),
  }),
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'The status of the namespace',
      value: (namespace) => valueAt(namespace, 'status', 'phase'),
    },
    ageColumn,
  ],
  selectableFields: ['status.phase'],
  complete({ metadata }) {
    metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  },
  objectRules({ metadata, status }) {
    const phase = stringAt(status, 'phase');
    const expected = metadata.deletionTimestamp ? 'Terminating' : 'Active';
    if (phase === expected) return [];
    const is = metadata.deletionTimestamp ? 'not empty' : 'empty';
    const why = `may only be '${expected}' if \`deletionTimestamp\` is ${is}`;
    return [invalidValue('status.Phase', phase, why)];
  },
  prepare(namespace, old) {
    const { metadata } = namespace;
    // Whoever writes the object has no say in them: only the server takes them away.
    const finalizers = old ? listAt(old, 'spec', 'finalizers') : ['kubernetes'];
    namespace.spec = { ...objectAt(namespace, 'spec'), finalizers: [...finalizers] };
    if (!stringAt(namespace, 'status', 'phase')) namespace.status = { phase: 'Active' };
    if (metadata.deletionTimestamp) {
      namespace.status = { ...objectAt(namespace, 'status'), phase: 'Terminating' };
    }
  },
});
