// Takes out of the kernel everything that is Calico's, when it leaves a node for good.
import {
  birdProtocol,
  deleteLink,
  deleteRoute,
  felixProtocol,
  type Nftables,
  type Rtnetlink,
  Transaction,
} from '../kernel/index.ts';
import { tunnelFamily } from './overlay/own-tunnels.ts';
import { ownTables, podEnds } from './presence.ts';

/**
 * Returns in words what there was. Links go first, those of pods that still run too: no pod is on the network without its policy.
 * @throws Error while an agent owns the tables; KernelError or TransactionError when the kernel refuses
 */
export function uninstallDataplane(kernel: Nftables, rtnetlink: Rtnetlink): string[] {
  const tables = ownTables(kernel);
  if (tables.some((table) => kernel.lookUpTable(table)?.owner)) {
    throw new Error('Cannot uninstall Calico from this node while calico-node runs on it: end that first');
  }
  const tunnels = rtnetlink.links().filter((link) => tunnelFamily(link) !== undefined);
  const links = [...tunnels, ...podEnds(rtnetlink)];
  for (const { index } of links) rtnetlink.ensure(deleteLink(index));
  // Those through a link went with it. BIRD leaves its own behind, which is what lets it be replaced; another BIRD of this node
  // writes what is its own again when it next looks.
  const routes = rtnetlink
    .routes()
    .filter(({ protocol }) => protocol === felixProtocol || protocol === birdProtocol);
  for (const route of routes) rtnetlink.ensure(deleteRoute(route));
  for (const table of tables) {
    const transaction = new Transaction(table);
    transaction.deleteTable();
    kernel.commit(transaction);
  }
  return [
    ...links.map(({ name }) => `link "${name}"`),
    ...routes.map(({ destination }) => `route to ${destination}`),
    ...tables.map(({ family, name }) => `table "${family} ${name}"`),
  ];
}
