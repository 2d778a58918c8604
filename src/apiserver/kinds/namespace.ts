// v1 Namespace. Its end is the work of the namespace controller; here is only what it looks like.
import { listAt, objectAt, stringAt, valueAt } from '../json.ts';
import { openObject, setOf, string } from '../schema/schema.ts';
import { ageColumn } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

export const namespaceType = builtIn({
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  nameRule: 'label',
  schema: openObject({
    spec: openObject({ finalizers: setOf(string) }),
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
