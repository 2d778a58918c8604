// Writes one object, wherever it is stored: Calico's kinds as they are, Calico's Node as annotations of Kubernetes' Node.
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import { completedPolicy, nodes, type Resource } from '../../resources/index.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import { CommandError } from '../problem.ts';
import { calicoNodeOf, nodePatch } from '../synthesised/node.ts';

interface WriteOptions {
  readonly dryRun?: boolean;
}

/** Why a kind cannot be written, or undefined when it can. */
function whyReadOnly(kind: PrintedKind): string | undefined {
  if (kind.madeFrom === 'pods') return 'it stands for a pod; change the pod';
  if (kind.madeFrom === 'namespaces and service accounts') {
    return 'it stands for a namespace or a service account; change that';
  }
  return undefined;
}

/** What is stored; undefined when there is nothing. @throws CommandError for kinds that cannot be written */
export async function findStored(
  client: KubernetesClient,
  kind: PrintedKind,
  { name, namespace }: { name: string; namespace?: string },
): Promise<Resource | undefined> {
  const why = whyReadOnly(kind);
  if (why) throw new CommandError(`Cannot write ${kind.kind} "${name}": ${why}`);
  if (kind.madeFrom === 'nodes') {
    const node = await ifThere(client.get(nodes, { name }));
    return node && calicoNodeOf(node);
  }
  return ifThere(client.get(kind, namespace ? { namespace, name } : { name }));
}

export async function createStored(
  client: KubernetesClient,
  kind: PrintedKind,
  object: Resource,
  options: WriteOptions,
): Promise<Resource> {
  const why = whyReadOnly(kind);
  if (why) throw new CommandError(`Cannot create ${kind.kind} "${object.metadata.name}": ${why}`);
  if (kind.madeFrom === 'nodes') {
    throw new CommandError(
      `Cannot create Node "${object.metadata.name}": it stands for a Kubernetes node, which the kubelet registers`,
    );
  }
  return client.create(kind, completedPolicy(withoutRevision(object)), options);
}

/** Puts `wanted` in the place of `stored`, if that is still what is stored. @throws ConflictError */
export async function replaceStored(
  client: KubernetesClient,
  kind: PrintedKind,
  wanted: Resource,
  stored: Resource,
  options: WriteOptions,
): Promise<Resource> {
  if (kind.madeFrom === 'nodes') {
    const { name } = wanted.metadata;
    return calicoNodeOf(await client.patch(nodes, { name }, 'merge', nodePatch(wanted, stored), options));
  }
  return client.replace(kind, completedPolicy(overStored(wanted, stored)), options);
}

/** @throws NotFoundError */
export async function deleteStored(
  client: KubernetesClient,
  kind: PrintedKind,
  { name, namespace }: { name: string; namespace?: string },
  options: WriteOptions,
): Promise<void> {
  const why = kind.madeFrom === 'nodes' ? 'it stands for a Kubernetes node; delete that' : whyReadOnly(kind);
  if (why) throw new CommandError(`Cannot delete ${kind.kind} "${name}": ${why}`);
  await client.delete(kind, namespace ? { namespace, name } : { name }, options);
}

/** The wanted object as it replaces the stored one: what the server keeps about it, and labels that it does not mention. */
export function overStored(wanted: Resource, stored: Resource): Resource {
  const { labels, annotations, ...kept } = stored.metadata;
  return {
    ...wanted,
    metadata: {
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...wanted.metadata,
      ...kept,
      // A revision in the file is a condition: only that very state may be replaced.
      ...(wanted.metadata.resourceVersion && { resourceVersion: wanted.metadata.resourceVersion }),
    },
  };
}

/** Exports of another cluster carry its bookkeeping, which means nothing in a new object. */
function withoutRevision(object: Resource): Resource {
  const { resourceVersion: _revision, uid: _uid, creationTimestamp: _created, ...metadata } = object.metadata;
  return { ...object, metadata };
}
