// What `get` and the writing commands read: stored objects, and those that are made from others.
import { completedPolicy, type Resource } from '../resources/index.ts';
import type { PrintedKind } from './kinds/kinds.ts';
import type { NamespaceOptions } from './options.ts';
import type { Session } from './session.ts';

/** Which namespace a command is about; undefined for all of them, and for kinds without. */
export function namespaceFor(
  kind: { readonly namespaced: boolean },
  session: Session,
  options: NamespaceOptions,
): string | undefined {
  if (!kind.namespaced || options.allNamespaces) return undefined;
  return options.namespace ?? session.namespace;
}

/** @throws NotFoundError */
export async function readObject(
  session: Session,
  kind: PrintedKind,
  name: string,
  namespace: string | undefined,
): Promise<Resource> {
  if (kind.madeFrom) {
    const { getSynthesised } = await import('./synthesised/read-synthesised.ts');
    return getSynthesised(session.client, kind, kind.madeFrom, name, namespace);
  }
  return completedPolicy(await session.client.get(kind, namespace ? { namespace, name } : { name }));
}

/** In the order of the API server: by namespace, then by name. */
export async function listObjects(
  session: Session,
  kind: PrintedKind,
  namespace: string | undefined,
): Promise<Resource[]> {
  if (kind.madeFrom) {
    const { listSynthesised } = await import('./synthesised/read-synthesised.ts');
    return listSynthesised(session.client, kind.madeFrom, namespace);
  }
  const stored = await session.client.list(kind, namespace ? { namespace } : {});
  return stored.map(completedPolicy);
}
