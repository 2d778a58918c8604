// Whether a cluster has a kind at all: custom resources are only there once their definition is.
import type { ResourceKind } from '../../resources/index.ts';
import { NotFoundError } from '../errors.ts';
import type { Transport } from './transport.ts';

interface ResourceList {
  readonly kind?: string;
  readonly resources?: readonly { readonly name: string }[];
}

interface GroupList {
  readonly kind?: string;
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
  }[];
}

/**
 * Whether the API server itself says that it does not have the kind. A collection that is not found is no proof: whatever stands
 * before the server may answer so, and that must not pass for "everything was deleted".
 * @throws UnavailableError, and others, when it does not say
 */
export async function isMissingKind(transport: Transport, kind: ResourceKind): Promise<boolean> {
  if (kind.group === '') return false;
  const { group, version, plural } = kind;
  const ask = (path: string) =>
    transport.json({ method: 'GET', path, attempt: `Cannot ask whether the cluster has ${kind.kind}` });
  try {
    const { resources, ...list } = (await ask(`/apis/${group}/${version}`)) as ResourceList;
    return list.kind === 'APIResourceList' && !(resources ?? []).some(({ name }) => name === plural);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  const { groups, ...list } = (await ask('/apis')) as GroupList;
  if (list.kind !== 'APIGroupList') return false;
  const found = (groups ?? []).find(({ name }) => name === group);
  return !found?.versions.some((served) => served.version === version);
}
