// Connection tracking: what the kernel knows of connections, and how it is made to judge them afresh.
export { Conntrack } from './conntrack.ts';
export type { ConntrackEntry, ConntrackKey } from './entry.ts';
