// The door of the lab's routers: FRR and GoBGP, which no one here wrote.
export type { ExternalRouter, RouterKind, RouterNeighbor, RouterRoute } from './external-router.ts';
export { startRouter } from './start-router.ts';
