// Reads the kinds that nobody stores, from the Kubernetes objects that stand for them.
import { type KubernetesClient, NotFoundError } from '../../datastore/index.ts';
import { namespaces, nodes, pods, type Resource, type ResourceKind } from '../../resources/index.ts';
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
      return (await client.list(nodes)).map(calicoNodeOf);
    case 'pods':
      return (await client.list(pods, namespace ? { namespace } : {})).flatMap(
        (pod) => endpointOfPod(pod) ?? [],
      );
    case 'namespaces and service accounts': {
      const [spaces, accounts] = await Promise.all([client.list(namespaces), client.list(serviceAccounts)]);
      return [defaultAllow, ...spaces.map(profileOfNamespace), ...accounts.map(profileOfServiceAccount)];
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
  if (madeFrom === 'nodes') return calicoNodeOf(await client.get(nodes, { name }));
  const found = (await listSynthesised(client, madeFrom, namespace)).find(
    ({ metadata }) => metadata.name === name,
  );
  if (found) return found;
  throw new NotFoundError(`Cannot read ${kind.kind} "${name}": it does not exist`);
}
