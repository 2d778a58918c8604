// The lab's router outside of the cluster: a machine on the underlay that every node peers with.
import { addAddress, inNamespace, Rtnetlink } from '../../kernel/index.ts';
import { type ExternalRouter, type RouterKind, startRouter } from '../router/index.ts';
import { runVariable } from '../run/processes.ts';
import { type Run, routerFolder } from '../run/run.ts';
import type { Underlay } from '../underlay.ts';

const host = 2;

/** Where nodes find it, and the network that it tells them of: its own address in there answers. */
export const routerPlace = {
  address: `172.30.0.${host}`,
  asNumber: 64600,
  network: { address: '10.200.0.1', prefixLength: 24, cidr: '10.200.0.0/24' },
} as const;

/** The nodes' own, as long as nobody says otherwise. */
const clusterAsNumber = 64512;

/** Resolves when it answers; its sessions come up when the nodes do. @throws Error when its package is missing */
export function startLabRouter(kind: RouterKind, run: Run, underlay: Underlay): Promise<ExternalRouter> {
  const { namespace } = underlay.addMachine('tor', host);
  const { address, prefixLength, cidr } = routerPlace.network;
  using netlink = Rtnetlink.open({ namespace });
  netlink.apply(addAddress({ link: netlink.link('lo')?.index ?? 1, address, prefixLength }));
  return startRouter(kind, {
    spawn: (start) => inNamespace(namespace, start),
    folder: routerFolder(run),
    environment: { [runVariable]: run.id },
    asNumber: routerPlace.asNumber,
    routerId: routerPlace.address,
    neighbors: underlay.nodes.map((node) => ({ address: node.address, asNumber: clusterAsNumber })),
    networks: [cidr],
  });
}
