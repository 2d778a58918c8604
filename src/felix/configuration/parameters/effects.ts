// Why some parameters have no effect here: they belong to parts that this agent does not have.
import type { Effect } from '../parameter.ts';

const without = (none: string): Effect => ({ none });

export const ebpf = without('belongs to the eBPF dataplane');
export const iptables = without('belongs to the iptables dataplane');
export const windows = without('belongs to the Windows dataplane');
export const xdp = without('belongs to XDP acceleration of the iptables dataplane');
export const openstack = without('belongs to OpenStack, whose drivers are not here');
export const goRuntime = without('tunes a program written in Go');
export const elsewhere = without('the datastore is found by KUBECONFIG or the service account');
export const wireguard = without('there is no WireGuard here yet');
export const ipip = without('there is no IP-in-IP here yet');
export const flowLogs = without('there are no flow logs here yet');
export const aws = without('nothing here speaks to a cloud');
export const noReports = without('nothing is ever sent about usage, whatever this says');
export const connections = without(
  'policies ask what connection tracking knows of a connection: of a packet that belongs to none nothing can be asked, and it goes no further, checked or not',
);
export const answersAtOnce = without(
  'the kernel answers requests by netlink within the call that sends them: there is no waiting that could end early',
);
export const routedOnly = without(
  "pods' addresses are routed here, by BGP or an overlay; nobody answers for them on the node's own subnet yet",
);
export const kernelAsked = without('what the kernel can do it is asked when calico-node starts');
export const oneLoop = without(
  'calculation and dataplane are one loop in one process here, which dataplaneWatchdogTimeout looks after: there are no parts of it that could hang or be timed alone',
);
export const oneTable = without(
  'everything is in one nftables table, which nftablesRefreshInterval looks after',
);
export const migration = without('there is no live migration here yet');
export const ownTable = without(
  "the table's chains stand before those of others by their priorities, whatever those do",
);
export const ipvs = without(
  "matters where kube-proxy uses IPVS; the node's ports are judged like any other here",
);
export const growing = without('sets of nftables grow as they need to');
export const allowed = without(
  "what is allowed goes on to others' chains, always: an accept overrides no other table here",
);
