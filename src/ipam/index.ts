// The door of the IPAM room: addresses for pods and tunnels, in Calico's own blocks, affinities and handles; how full the pools
// are, and which of them give any; and what is wrong in a cluster's address management, with its repair.
export { type Allocation, allocationsOf } from './audit/allocations.ts';
export { auditIpam, type IpamAudit } from './audit/audit.ts';
export { GarbageCollector } from './audit/garbage-collector.ts';
export { IpamRepair } from './audit/repair.ts';
export { type IpamSnapshot, readSnapshot } from './audit/snapshot.ts';
export type { AutoAssignRequest } from './auto-assign.ts';
export { AddressInUseError, BlockNotEmptyError, NoPoolError, PoolExhaustedError } from './errors.ts';
export { FollowedSources } from './followed-sources.ts';
export { IpamClient } from './ipam-client.ts';
export { affinityLabels, affinityName, handleName } from './names.ts';
export { type NodeLabels, nodeLabelsOf, readNodeLabels } from './node-labels.ts';
export { loadBalancers, ownerOf } from './owner.ts';
export { judgePools, type PoolVerdict } from './pool-verdicts.ts';
export { isOpenTo } from './pools.ts';
export { reservationsFrom } from './reservations.ts';
export { splitPool } from './split-pool.ts';
export { type UnreadableBlock, unreadableBlock } from './unreadable-blocks.ts';
export { type PoolUsage, usageOf } from './usage.ts';
