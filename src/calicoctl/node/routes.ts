// `calicoctl node routes`: the routes that BIRD knows on this machine, where each comes from, and which are in use.
import { bgpPaths, birdRoutes, type LearnedRoute } from '../../bgp/index.ts';
import { tryParseCidr } from '../../net/index.ts';
import { formatBoxTable } from '../ipam/box-table.ts';
import { CommandError } from '../problem.ts';

const sources: Readonly<Record<LearnedRoute['source'], string>> = {
  Kernel: 'kernel',
  Static: 'this node',
  Direct: 'interface',
  NodeMesh: 'mesh',
  BGPPeer: 'peer',
};

export interface RoutesOptions {
  readonly output?: 'json';
}

/** @throws CommandError where BIRD does not answer */
export async function routes({ output }: RoutesOptions): Promise<number> {
  const { socket } = bgpPaths(process.env.CALICO_ROOT);
  let found: LearnedRoute[];
  try {
    found = await birdRoutes(socket);
  } catch (error) {
    throw new CommandError(`BGP is not running here: ${error instanceof Error ? error.message : error}`);
  }
  const ordered = found.toSorted(byDestination);
  process.stdout.write(
    output === 'json' ? `${JSON.stringify({ routes: ordered }, null, 2)}\n` : routeTables(ordered),
  );
  return 0;
}

/** As numbers; of routes to one destination, the one in use first. */
function byDestination(a: LearnedRoute, b: LearnedRoute): number {
  const [x, y] = [tryParseCidr(a.destination), tryParseCidr(b.destination)];
  if (!x || !y) return 0;
  const [low, high] = [x.network, y.network];
  if (low !== high) return low < high ? -1 : 1;
  return x.length - y.length || (a.type === b.type ? 0 : a.type === 'FIB' ? -1 : 1);
}

function routeTables(routes: readonly LearnedRoute[]): string {
  return ([4, 6] as const)
    .map((family) => {
      const rows = routes.filter((route) => route.family === family).flatMap(rowsOf);
      const title = `${family === 6 ? '\n' : ''}IPv${family} routes\n`;
      if (rows.length === 0) return `${title}No IPv${family} routes found.\n`;
      return (
        title +
        formatBoxTable(
          ['DESTINATION', 'NEXT HOP', 'INTERFACE', 'LEARNED FROM', 'IN USE', 'COMMUNITIES'],
          rows,
        )
      );
    })
    .join('');
}

/** A row for each next hop. */
function rowsOf({ destination, hops, source, peer, type, communities }: LearnedRoute): string[][] {
  const from = peer === undefined ? sources[source] : `${sources[source]} ${peer}`;
  const ways = hops.length > 0 ? hops : [{ gateway: 'blackhole' }];
  return ways.map((hop) => {
    const { gateway = '-', interface: link = '-' } = hop as { gateway?: string; interface?: string };
    return [destination, gateway, link, from, type === 'FIB' ? 'yes' : 'no', communities.join(' ')];
  });
}
