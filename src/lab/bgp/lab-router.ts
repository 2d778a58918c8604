// The lab's router outside of the cluster: a machine on the underlay that every node peers with.
import { inNamespace } from '../../kernel/index.ts';
import { type ExternalRouter, type RouterKind, startRouter } from '../router/index.ts';
import { runVariable } from '../run/processes.ts';
import { type Run, routerFolder } from '../run/run.ts';
import type { Underlay } from '../underlay.ts';

const host = 2;

/** Where nodes find it. */
export const routerPlace = { address: `172.30.0.${host}`, asNumber: 64600 } as const;

/** The nodes' own, as long as nobody says otherwise. */
const clusterAsNumber = 64512;

/** Resolves when it answers; its sessions come up when the nodes do. @throws Error when its package is missing */
export function startLabRouter(kind: RouterKind, run: Run, underlay: Underlay): Promise<ExternalRouter> {
  const { namespace } = underlay.addMachine('tor', host);
  return startRouter(kind, {
    spawn: (start) => inNamespace(namespace, start),
    folder: routerFolder(run),
    environment: { [runVariable]: run.id },
    asNumber: routerPlace.asNumber,
    routerId: routerPlace.address,
    neighbors: underlay.nodes.map(({ address }) => ({ address, asNumber: clusterAsNumber })),
    networks: [],
  });
}
