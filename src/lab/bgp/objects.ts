// The objects by which a lab's nodes come to speak BGP as it was asked for. A full mesh needs none.
import type { Datastore } from '../../datastore/index.ts';
import { bgpConfigurations, bgpPeers, nodeAnnotations, nodes } from '../../resources/index.ts';

const reflectorLabel = 'route-reflector';
const clusterId = '244.0.0.1';

export interface BgpObjects {
  /** Names of the nodes that reflect routes. */
  readonly reflectors: readonly string[];
  readonly router?: { readonly address: string; readonly asNumber: number };
}

/** To be called when the nodes are registered, before their agents start. */
export async function createBgpObjects(
  datastore: Datastore,
  { reflectors, router }: BgpObjects,
): Promise<void> {
  for (const name of reflectors) {
    const annotations = { [nodeAnnotations.routeReflectorClusterId]: clusterId };
    await datastore.mergePatch(
      nodes,
      { name },
      { metadata: { annotations, labels: { [reflectorLabel]: '' } } },
    );
  }
  if (reflectors.length > 0) {
    await datastore.create(bgpConfigurations, {
      ...head('BGPConfiguration', 'default'),
      spec: { nodeToNodeMeshEnabled: false },
    });
    await datastore.create(bgpPeers, {
      ...head('BGPPeer', 'route-reflectors'),
      spec: { nodeSelector: 'all()', peerSelector: `has(${reflectorLabel})` },
    });
  }
  if (router) {
    const { address, asNumber } = router;
    await datastore.create(bgpPeers, {
      ...head('BGPPeer', 'top-of-rack'),
      spec: { peerIP: address, asNumber },
    });
  }
}

function head(kind: string, name: string) {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata: { name } };
}
