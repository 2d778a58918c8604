// What IPAM has given out, read from its blocks, beside what the pods of the cluster have, and to Services.
import { addressAt, formatAddress, parseCidr } from '../../src/net/index.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './daemon.ts';

interface Block {
  readonly spec: {
    readonly cidr: string;
    readonly allocations: readonly (number | null)[];
    readonly attributes: readonly { readonly secondary?: Readonly<Record<string, string>> }[];
  };
}

interface Pod {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly hostNetwork?: boolean };
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[]; readonly phase: string };
}

/** Addresses of pods: as IPAM has them (address -> "namespace/name"), and as the pods have them. */
export async function addressesOfPods(
  cluster: Cluster,
): Promise<{ given: Map<string, string>; held: Map<string, string> }> {
  const given = await addressesGivenTo('pod', cluster);
  const held = new Map<string, string>();
  for (const { metadata, spec, status } of await list<Pod>(cluster, 'pods')) {
    if (spec.hostNetwork || !['Pending', 'Running'].includes(status.phase)) continue;
    const name = `${metadata.namespace}/${metadata.name}`;
    for (const { ip } of status.podIPs ?? []) {
      const other = held.get(ip);
      if (other !== undefined) throw new Error(`${name} and ${other} both have ${ip}`);
      held.set(ip, name);
    }
  }
  return { given, held };
}

/** Addresses that IPAM has given to pods, or to Services: address -> "namespace/name". */
export async function addressesGivenTo(
  what: 'pod' | 'service',
  cluster: Cluster,
): Promise<Map<string, string>> {
  const given = new Map<string, string>();
  for (const { spec } of await list<Block>(cluster, 'ipamblocks')) {
    const cidr = parseCidr(spec.cidr);
    for (const [ordinal, position] of spec.allocations.entries()) {
      const owner = position === null ? undefined : spec.attributes[position]?.secondary;
      if (owner?.[what])
        given.set(formatAddress(addressAt(cidr, BigInt(ordinal))), `${owner.namespace}/${owner[what]}`);
    }
  }
  return given;
}

async function list<T>(cluster: Cluster, what: string): Promise<T[]> {
  return JSON.parse(await cluster.kubectl(['get', what, '--all-namespaces', '--output=json'])).items;
}

/** Resolves once nothing is given out that no pod holds, and nothing held that was not given out. */
export async function untilAddressesAgree(cluster: Cluster): Promise<void> {
  await eventually(
    'IPAM and the pods agree about every address',
    async () => {
      const { given, held } = await addressesOfPods(cluster);
      const faults = [
        ...[...given]
          .filter(([ip, name]) => held.get(ip) !== name)
          .map(([ip, name]) => `${ip} is still given to ${name}`),
        ...[...held]
          .filter(([ip, name]) => given.get(ip) !== name)
          .map(([ip, name]) => `${name} holds ${ip} unrecorded`),
      ];
      if (faults.length > 0) throw new Error(faults.join('; '));
      return true;
    },
    { everyMs: 500 },
  );
}
