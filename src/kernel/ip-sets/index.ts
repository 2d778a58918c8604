// The IP sets that iptables' rules look addresses up in: listed and destroyed, never made.
export { IpSets } from './ip-sets.ts';
