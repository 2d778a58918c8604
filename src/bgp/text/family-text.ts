// What concerns one family's table: this node's own routes, what the kernel gets, what peers are told.
import { felixProtocol } from '../../kernel/index.ts';
import type { FamilyModel } from '../model/bgp-model.ts';
import { addCommunity } from './filter-functions.ts';

export function familyText(model: FamilyModel): string[] {
  const { family } = model;
  return [
    ...staticProtocol(
      `calico_blocks${family}`,
      family,
      model.blocks.map(({ cidr }) => `${cidr} blackhole`),
    ),
    ...staticProtocol(
      `calico_services${family}`,
      family,
      model.services.routes.map((cidr) => `${cidr} blackhole`),
    ),
    ...staticProtocol(
      `calico_gateways${family}`,
      family,
      model.gateways.map(({ destination, via }) => `${destination} via ${via}`),
    ),
    ...kernelFilter(model),
    `protocol kernel calico_kernel${family} {`,
    '  learn;',
    '  persist;',
    '  scan time 2;',
    '  merge paths on;',
    '  graceful restart;',
    '  # 0: the routes say it themselves.',
    '  metric 0;',
    `  ipv${family} { import all; export filter calico_to_kernel${family}; };`,
    '}',
    ...communities(model),
    ...exportFunction(model),
  ];
}

function staticProtocol(name: string, family: number, routes: readonly string[]): string[] {
  if (routes.length === 0) return [];
  return [`protocol static ${name} {`, `  ipv${family};`, ...routes.map((route) => `  route ${route};`), '}'];
}

function kernelFilter({ family, services, pools, priority }: FamilyModel): string[] {
  return [
    `filter calico_to_kernel${family} {`,
    "  # Services are somebody else's to translate, and the routes of overlays are Felix'.",
    ...services.ranges.map((range) => `  if net ~ [ ${range}+ ] then reject;`),
    '  if source = RTS_DEVICE then reject;',
    `  if !defined(krt_metric) then krt_metric = ${priority};`,
    ...pools.map(
      ({ cidr, isProgrammed }) => `  if net ~ [ ${cidr}+ ] then ${isProgrammed ? 'accept' : 'reject'};`,
    ),
    '  accept;',
    '}',
  ];
}

function communities({ family, communities }: FamilyModel): string[] {
  return [
    `function calico_communities${family}() {`,
    ...communities.map(
      ({ cidr, values }) => `  if net ~ [ ${cidr}+ ] then { ${values.map(addCommunity).join(' ')} }`,
    ),
    '}',
  ];
}

/** Accepts or rejects; never returns. */
function exportFunction({ family, blocks, pools, services }: FamilyModel): string[] {
  return [
    `function calico_export${family}(bool is_internal) {`,
    ...blocks.flatMap(({ cidr, isExported }) => [
      `  if net = ${cidr} then ${isExported ? 'accept' : 'reject'};`,
      `  if net ~ [ ${cidr}+ ] && source != RTS_BGP then reject; # told as a whole`,
    ]),
    // What another node tells of services is its own to tell: traffic for it must not take the way over us.
    ...services.ranges.map(
      (range) =>
        `  if net ~ [ ${range}+ ] then { if is_internal || source = RTS_STATIC then accept; reject; }`,
    ),
    "  # Felix' ways to other nodes: told by who has the block, not by all who reach it.",
    // No gateway is :: in both families.
    `  if is_internal && source = RTS_INHERIT && krt_source = ${felixProtocol} && gw != :: then reject;`,
    ...pools.map(
      ({ cidr, isExported }) => `  if net ~ [ ${cidr}+ ] then ${isExported ? 'accept' : 'reject'};`,
    ),
    '  reject;',
    '}',
  ];
}
