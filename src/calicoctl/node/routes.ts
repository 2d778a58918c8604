// `calicoctl node routes`: the routes that BIRD knows on this machine, where each comes from, and which are in use.
import { bgpPaths, birdRoutes, type LearnedRoute } from '../../bgp/index.ts';
import { formatBoxTable } from '../ipam/box-table.ts';
import { CommandError } from '../problem.ts';

const sources: Readonly<Record<LearnedRoute['source'], string>> = {
  Kernel: 'kernel',
  Static: 'this node',
  Direct: 'interface',
  NodeMesh: 'mesh',
  BGPPeer: 'peer',
};

export async function routes(): Promise<number> {
  const { socket } = bgpPaths(process.env.CALICO_ROOT);
  let found: LearnedRoute[];
  try {
    found = await birdRoutes(socket);
  } catch (error) {
    throw new CommandError(`BGP is not running here: ${error instanceof Error ? error.message : error}`);
  }
  process.stdout.write(routeTables(found));
  return 0;
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
