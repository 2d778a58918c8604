// The door of the IPAM room: addresses for pods and tunnels, in Calico's own blocks, affinities and handles.
export { AddressInUseError, BlockNotEmptyError, NoPoolError, PoolExhaustedError } from './errors.ts';
export { type AutoAssignRequest, IpamClient } from './ipam-client.ts';
