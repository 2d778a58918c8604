// Objects of every kind of Calico's as tests apply them: right ones that say every field between them, and wrong ones.
import { stringify } from 'yaml';
import { version } from '../../src/calicoctl/version.ts';
import {
  calicoKinds,
  completedPolicy,
  type Resource,
  type ResourceKind,
  withDefaults,
} from '../../src/resources/index.ts';
import { everyField } from './every-field.ts';
import { objectCases } from './objects.ts';

const cases = objectCases.filter(({ kind }) => calicoKinds.includes(kind));

/** Of every kind, as many as it takes to say every field. Policies say their types and their tier's label, as they would be completed. */
export const everyObject: readonly Resource[] = cases.flatMap((entry) =>
  everyField(entry).map((object, index) => completedPolicy(settled(object, index))),
);

/** What every kind refuses; `byServer` tells whether the kind's definition by itself does. */
export const everyRefusal = cases.flatMap(({ kind, refused }) =>
  refused.map(({ object, ...rest }) => ({
    ...rest,
    object: kind.namespaced ? { ...object, metadata: { namespace: 'default', ...object.metadata } } : object,
  })),
);

/** With a name of its own where the kind leaves that free, and the namespace and the version that a test's cluster has. */
function settled(object: Resource, index: number): Resource {
  const { name } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      name: name === 'x' ? `x-${index}` : name,
      ...(kindOf(object).namespaced && { namespace: 'default' }),
    },
    ...(object.kind === 'ClusterInformation' && {
      spec: { ...(Reflect.get(object, 'spec') as object), calicoVersion: `v${version}` },
    }),
  };
}

export function kindOf({ kind }: Resource): ResourceKind {
  const found = calicoKinds.find((known) => known.kind === kind);
  if (!found) throw new Error(`"${kind}" is not a kind of Calico's`);
  return found;
}

/** One document for each, in words that kubectl, which reads YAML 1.1, does not misunderstand. */
export function toYaml(documents: readonly Resource[]): string {
  return documents.map((document) => stringify(document, { version: '1.1' })).join('---\n');
}

/** What is stored of an object that is created: a status is not, where it is a subresource. */
export function asCreated(object: Resource): Resource {
  const { status: _status, ...rest } = object as Resource & { status?: unknown };
  return withDefaults(kindOf(object), kindOf(object).hasStatus ? rest : object);
}

/** What a person has written of a stored object. */
export function written(object: Resource): Resource {
  const { uid, resourceVersion, generation, creationTimestamp, annotations, ...metadata } = object.metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _own, ...others } = annotations ?? {};
  return {
    ...object,
    metadata: { ...metadata, ...(Object.keys(others).length > 0 && { annotations: others }) },
  };
}
