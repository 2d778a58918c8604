// Reads the kinds that nobody stores, from the Kubernetes objects that stand for them.
import { type KubernetesClient, MisfitError, NotFoundError } from '../../datastore/index.ts';
import {
  keyOf,
  misfit,
  namespaces,
  nodes,
  pods,
  type Resource,
  type ResourceKind,
} from '../../resources/index.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import { calicoNodeOf } from './node.ts';
import { defaultAllow, profileOfNamespace, profileOfServiceAccount } from './profile.ts';
import { endpointOfPod } from './workload-endpoint.ts';

const serviceAccounts: ResourceKind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};

/** Every object of a kind that is made from others, of one namespace or of all. */
export async function listSynthesised(
  client: KubernetesClient,
  madeFrom: NonNullable<PrintedKind['madeFrom']>,
  namespace?: string,
): Promise<Resource[]> {
  switch (madeFrom) {
    case 'nodes':
      return sound(nodes, await client.list(nodes)).map(calicoNodeOf);
    case 'pods':
      return sound(pods, await client.list(pods, namespace ? { namespace } : {})).flatMap(
        (pod) => endpointOfPod(pod) ?? [],
      );
    case 'namespaces and service accounts': {
      const [spaces, accounts] = await Promise.all([client.list(namespaces), client.list(serviceAccounts)]);
      return [
        defaultAllow,
        ...sound(namespaces, spaces).map(profileOfNamespace),
        ...sound(serviceAccounts, accounts).map(profileOfServiceAccount),
      ];
    }
  }
}

/** @throws NotFoundError */
export async function getSynthesised(
  client: KubernetesClient,
  kind: PrintedKind,
  madeFrom: NonNullable<PrintedKind['madeFrom']>,
  name: string,
  namespace?: string,
): Promise<Resource> {
  if (madeFrom === 'nodes') {
    const node = await client.get(nodes, { name });
    const fault = misfit(nodes, node);
    if (fault !== undefined) throw new MisfitError(`Cannot read Node "${name}": ${fault}`);
    return calicoNodeOf(node);
  }
  const found = (await listSynthesised(client, madeFrom, namespace)).find(
    ({ metadata }) => metadata.name === name,
  );
  if (found) return found;
  throw new NotFoundError(`Cannot read ${kind.kind} "${name}": it does not exist`);
}

/** Those that are what their kind is; of the others it is told why they stand for nothing. */
function sound<T extends Resource>(kind: ResourceKind<T>, objects: readonly T[]): T[] {
  return objects.filter((object) => {
    const fault = misfit(kind, object);
    if (fault !== undefined) {
      process.stderr.write(
        `Warning: ${kind.kind} "${keyOf(object)}" is not what it should be: ${fault}; it is left out\n`,
      );
    }
    return fault === undefined;
  });
}
