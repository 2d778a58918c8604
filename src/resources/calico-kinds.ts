// Every kind of `projectcalico.org/v3`, and how a person's word for one is understood.
import { blockAffinities } from './calico/block-affinity.ts';
import { clusterInformations } from './calico/cluster-information.ts';
import { felixConfigurations } from './calico/felix-configuration/index.ts';
import { ipPools } from './calico/ip-pool.ts';
import { ipamBlocks } from './calico/ipam-block.ts';
import { ipamConfigurations } from './calico/ipam-configuration.ts';
import { ipamHandles } from './calico/ipam-handle.ts';
import type { ResourceKind } from './resource.ts';

/** In alphabetical order. */
export const calicoKinds: readonly ResourceKind[] = [
  blockAffinities,
  clusterInformations,
  felixConfigurations,
  ipPools,
  ipamBlocks,
  ipamConfigurations,
  ipamHandles,
];

/** Undefined when no kind has that name, plural, short name or alias, in whichever case. */
export function findKind(name: string): ResourceKind | undefined {
  return byName.get(name.toLowerCase());
}

const byName = new Map(
  calicoKinds.flatMap((kind) =>
    [kind.kind.toLowerCase(), kind.plural, ...(kind.shortNames ?? []), ...(kind.aliases ?? [])].map(
      (name) => [name, kind] as const,
    ),
  ),
);
