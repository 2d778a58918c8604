// BGPFilters as functions of BIRD's filter language. A function accepts or rejects, or returns when no rule matched.
import type { Family } from '../../net/index.ts';
import type { Filter, FilterMatch, FilterOperation, FilterRule } from '../model/bgp-model.ts';
import { symbolOf } from './symbol.ts';

export type Direction = 'import' | 'export';

export function filterCall(name: string, direction: Direction, family: Family, isInternal: boolean): string {
  return `${functionName(name, direction, family)}(${isInternal});`;
}

/** The function for routes of one family in one direction. `priority` is that of routes without one of their own. */
export function filterFunction(
  filter: Filter,
  direction: Direction,
  family: Family,
  priority: number,
): string[] {
  return [
    `function ${functionName(filter.name, direction, family)}(bool is_internal) {`,
    ...filter[direction][family].map((rule) => `  ${ruleText(rule, priority)}`),
    '}',
  ];
}

function functionName(name: string, direction: Direction, family: Family): string {
  return `${direction}${family}_${symbolOf('filter', name).slice('filter_'.length)}`;
}

function ruleText({ action, matches, operations }: FilterRule, priority: number): string {
  const verdict = action === 'Accept' ? 'accept;' : 'reject;';
  const body =
    operations.length === 0 ? verdict : `{ ${[...operations.map(operationText), verdict].join(' ')} }`;
  if (matches.length === 0) return body.startsWith('{') ? `if true then ${body}` : body;
  return `if ${matches.map((match) => `(${matchText(match, priority)})`).join(' && ')} then ${body}`;
}

function matchText(match: FilterMatch, priority: number): string {
  switch (match.kind) {
    case 'net':
      return netText(match);
    case 'remote':
      return 'source = RTS_BGP';
    case 'interface':
      return `defined(ifname) && ifname ~ "${match.pattern}"`;
    case 'peerType':
      return match.type === 'iBGP' ? 'is_internal' : '!is_internal';
    case 'community':
      return `${communityText(match.value)} ~ ${communityList(match.value)}`;
    case 'pathPrefix':
      return `bgp_path ~ [= ${match.asNumbers.join(' ')} * =]`;
    case 'priority': {
      const stated = `defined(krt_metric) && krt_metric = ${match.value}`;
      return match.value === priority ? `!defined(krt_metric) || ${stated}` : stated;
    }
  }
}

function netText({ operator, cidr, minLength, maxLength }: FilterMatch & { kind: 'net' }): string {
  const lengths = `net.len >= ${minLength} && net.len <= ${maxLength}`;
  const set = `[ ${cidr}{${minLength},${maxLength}} ]`;
  switch (operator) {
    case 'Equal':
      return `net = ${cidr}`;
    case 'NotEqual':
      return `net != ${cidr} && ${lengths}`;
    case 'In':
      return `net ~ ${set}`;
    case 'NotIn':
      return `net !~ ${set}`;
  }
}

function operationText(operation: FilterOperation): string {
  switch (operation.kind) {
    case 'addCommunity':
      return addCommunity(operation.value);
    case 'prependPath':
      // Each goes to the front, so the last is the first to be put there.
      return operation.asNumbers
        .toReversed()
        .map((number) => `bgp_path.prepend(${number});`)
        .join(' ');
    case 'setPriority':
      return `krt_metric = ${operation.value};`;
  }
}

/** "65000:100" becomes a community, "1:2:3" a large one. */
export function addCommunity(value: string): string {
  return `${communityList(value)}.add(${communityText(value)});`;
}

function communityText(value: string): string {
  return `(${value.split(':').map(Number).join(',')})`;
}

function communityList(value: string): string {
  return value.split(':').length === 2 ? 'bgp_community' : 'bgp_large_community';
}
