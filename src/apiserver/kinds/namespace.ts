// v1 Namespace. Its end is the work of the namespace controller; here is only what it looks like.
import { type KubeObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';
import { isUnqualified, unqualified } from '../objects/metadata.ts';
import { keyFaults } from '../objects/names.ts';
import { atomicList, openObject, strictObject, string } from '../schema/schema.ts';
import { invalidValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { ageColumn } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

export const namespaceType = builtIn({
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  hasStatus: true,
  subresources: [{ name: 'finalize', kind: 'Namespace', verb: 'update' }],
  hasCollectionDelete: false,
  nameRule: 'label',
  schema: strictObject({
    spec: { ...strictObject({ finalizers: atomicList(string) }), default: {} },
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
  objectRules: (namespace) => [...finalizerFaults(namespace), ...phaseFaults(namespace)],
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

function finalizerFaults({ spec }: KubeObject): FieldFault[] {
  return listAt(spec, 'finalizers').flatMap((one, index) => {
    const finalizer = String(one);
    const why = keyFaults(finalizer);
    if (why.length === 0 && isUnqualified(finalizer)) why.push(unqualified);
    return why.map((fault) => invalidValue(`spec.finalizers[${index}]`, finalizer, fault));
  });
}

function phaseFaults({ metadata, status }: KubeObject): FieldFault[] {
  const phase = stringAt(status, 'phase');
  const expected = metadata.deletionTimestamp ? 'Terminating' : 'Active';
  if (phase === expected) return [];
  const is = metadata.deletionTimestamp ? 'not empty' : 'empty';
  const why = `may only be '${expected}' if \`deletionTimestamp\` is ${is}`;
  return [invalidValue('status.Phase', phase, why)];
}
