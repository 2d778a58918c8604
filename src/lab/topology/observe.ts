// Asks every node's BIRD of a running cluster for its sessions and routes.
import { birdAdvertised, birdRoutes, birdStatus } from '../../bgp/index.ts';
import { type Node, nodeAnnotations } from '../../resources/index.ts';
import { type Observation, type Topology, topologyOf } from './topology.ts';

/**
 * @param sockets of each node's BIRD, by the node's name
 * @param outside names of routers that are no nodes, by address
 */
export async function observeTopology(
  nodes: readonly Node[],
  sockets: ReadonlyMap<string, string>,
  outside: ReadonlyMap<string, string>,
): Promise<Topology> {
  const observations = await Promise.all(
    nodes.map((node) => observe(node, sockets.get(node.metadata.name) ?? '')),
  );
  return topologyOf(observations, outside);
}

async function observe({ metadata }: Node, socket: string): Promise<Observation> {
  const { annotations = {} } = metadata;
  const addresses = [nodeAnnotations.ipv4Address, nodeAnnotations.ipv6Address].flatMap((name) => {
    const address = annotations[name]?.split('/')[0];
    return address ? [address] : [];
  });
  const known = {
    name: metadata.name,
    addresses,
    isReflector: Boolean(annotations[nodeAnnotations.routeReflectorClusterId]),
  };
  try {
    const { sessions } = await birdStatus(socket);
    const told = await birdAdvertised(socket);
    return { ...known, sessions, routes: await birdRoutes(socket), advertised: [...told.values()].flat() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...known, sessions: [], routes: [], advertised: [], trouble: `BIRD does not answer: ${why}` };
  }
}
