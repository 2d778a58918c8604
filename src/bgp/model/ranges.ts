// Pools and this node's own blocks of them: what BGP tells of pods, and what of that BIRD writes into the kernel.
import { type Cidr, cidrsOverlap, type Family, formatCidr, tryParseCidr } from '../../net/index.ts';
import type { BlockAffinity, IPPool } from '../../resources/index.ts';
import type { Fault, OwnBlock, Pool } from './bgp-model.ts';
import type { BgpSettings } from './settings.ts';

interface ParsedPool extends Pool {
  readonly parsed: Cidr;
}

/** Narrow pools first: where pools overlap, the narrower one decides. */
export function poolsOf(
  pools: Iterable<IPPool>,
  { programClusterRoutes }: BgpSettings,
  report: (fault: Fault) => void,
): ParsedPool[] {
  const isOurs = programClusterRoutes !== 'Disabled' && programClusterRoutes !== 'EnabledIPIPOnly';
  if (programClusterRoutes === 'Enabled' || programClusterRoutes === 'EnabledIPIPOnly') {
    report({
      object: 'BGPConfiguration "default"',
      sentence: `programClusterRoutes is ${programClusterRoutes}, but BIRD as distributions have it writes no routes through tunnels; those are left to Felix`,
    });
  }
  const parsed = [...pools].flatMap(({ metadata, spec }) => {
    const cidr = tryParseCidr(spec.cidr);
    if (!cidr) {
      report({
        object: `IPPool "${metadata.name}"`,
        sentence: `spec.cidr: "${spec.cidr}" is not a CIDR; BGP passes it over`,
      });
      return [];
    }
    const isOverlay = (spec.vxlanMode ?? 'Never') !== 'Never' || (spec.ipipMode ?? 'Never') !== 'Never';
    return [
      {
        parsed: cidr,
        cidr: formatCidr(cidr),
        isExported: spec.disableBGPExport !== true,
        isProgrammed: isOurs && !isOverlay,
      },
    ];
  });
  return parsed.sort((a, b) => b.parsed.length - a.parsed.length || (a.cidr < b.cidr ? -1 : 1));
}

/**
 * Confirmed blocks of the node. One that lies in no pool (the pool was deleted) is still told of, while pods live there; not so
 * where it may lie in a pool that cannot be read, and that may forbid it.
 */
export function blocksOf(
  node: string,
  affinities: Iterable<BlockAffinity>,
  pools: readonly ParsedPool[],
  areAllPoolsKnown: boolean,
): (OwnBlock & { readonly family: Family })[] {
  const blocks = [...affinities].flatMap(({ spec }) => {
    const cidr = tryParseCidr(spec.cidr);
    const isOwn = spec.node === node && (spec.type ?? 'host') === 'host' && spec.state === 'confirmed';
    if (!cidr || !isOwn || spec.deleted) return [];
    const pool = pools.find(({ parsed }) => cidrsOverlap(parsed, cidr));
    return [
      { family: cidr.family, cidr: formatCidr(cidr), isExported: pool?.isExported ?? areAllPoolsKnown },
    ];
  });
  return blocks.sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
}
