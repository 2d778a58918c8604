// What an IPPool's fields must satisfy together, each rule for the API server (CEL) and for our own validator.
import {
  bitsOf,
  cidrsOverlap,
  type Family,
  parseCidr,
  tryParseAddress,
  tryParseCidr,
} from '../../net/index.ts';
import type { Rule } from '../field.ts';

interface PoolFields {
  cidr: string;
  blockSize?: number;
  ipipMode?: string;
  vxlanMode?: string;
  nodeSelector?: string;
  namespaceSelector?: string;
  allowedUses?: string[];
  disableBGPExport?: boolean;
}

export const immutable: Rule = {
  rule: 'self == oldSelf',
  message: 'cannot be changed: addresses drawn under the old value would be orphaned',
  holds: (value, old) => old === undefined || value === old,
};

/** Prefix length of the largest blocks that a pool may have, of 4096 addresses. */
export const leastBlockSize: Readonly<Record<Family, number>> = { 4: 20, 6: 116 };

const linkLocal4 = parseCidr('169.254.0.0/16');
const linkLocal6 = parseCidr('fe80::/10');
const isIPv6 = 'cidr(self.cidr).ip().family() == 6';
const forLoadBalancer = "has(self.allowedUses) && 'LoadBalancer' in self.allowedUses";

export const ipPoolRules: Rule[] = [
  poolRule(
    'cidr(self.cidr) == cidr(self.cidr).masked()',
    'must not have address bits beyond the prefix in cidr',
    (pool) => {
      const cidr = tryParseCidr(pool.cidr);
      const address = tryParseAddress(pool.cidr.split('/')[0] ?? '');
      return cidr !== undefined && address !== undefined && address.value === cidr.network;
    },
  ),
  poolRule(
    `${isIPv6} || !cidr('169.254.0.0/16').containsCIDR(cidr(self.cidr)) && !cidr(self.cidr).containsIP(ip('169.254.0.0'))`,
    'must not overlap the link-local range 169.254.0.0/16',
    (pool) => !overlaps(pool, linkLocal4),
  ),
  poolRule(
    `!(${isIPv6}) || !cidr('fe80::/10').containsCIDR(cidr(self.cidr)) && !cidr(self.cidr).containsIP(ip('fe80::'))`,
    'must not overlap the link-local range fe80::/10',
    (pool) => !overlaps(pool, linkLocal6),
  ),
  poolRule(
    'has(self.blockSize) ? cidr(self.cidr).prefixLength() <= self.blockSize : ' +
      `cidr(self.cidr).prefixLength() <= (${isIPv6} ? 122 : 26)`,
    'must not be smaller than one of its blocks: the prefix length of cidr must not exceed blockSize',
    (pool) => parseCidr(pool.cidr).length <= (pool.blockSize ?? bitsOf(parseCidr(pool.cidr).family) - 6),
  ),
  poolRule(
    `!has(self.blockSize) || ${isIPv6} || self.blockSize >= ${leastBlockSize[4]} && self.blockSize <= 32`,
    'needs a blockSize of 20 to 32 for IPv4',
    (pool) => isV6(pool) || isBlockSize(4, pool.blockSize),
  ),
  poolRule(
    `!has(self.blockSize) || !(${isIPv6}) || self.blockSize >= ${leastBlockSize[6]} && self.blockSize <= 128`,
    'needs a blockSize of 116 to 128 for IPv6',
    (pool) => !isV6(pool) || isBlockSize(6, pool.blockSize),
  ),
  poolRule(
    `!(${on('ipipMode')} && ${on('vxlanMode')})`,
    'cannot use ipipMode and vxlanMode at once',
    (pool) => !(isOn(pool.ipipMode) && isOn(pool.vxlanMode)),
  ),
  poolRule(
    `!(${isIPv6} && ${on('ipipMode')})`,
    'cannot use ipipMode with IPv6',
    (pool) => !(isV6(pool) && isOn(pool.ipipMode)),
  ),
  poolRule(
    `!(${forLoadBalancer}) || !has(self.nodeSelector) || self.nodeSelector == 'all()'`,
    'must keep nodeSelector at "all()" when it serves load balancers',
    (pool) => !servesLoadBalancers(pool) || (pool.nodeSelector ?? 'all()') === 'all()',
  ),
  poolRule(
    `!(${forLoadBalancer}) || !(${on('ipipMode')}) && !(${on('vxlanMode')})`,
    'cannot use ipipMode or vxlanMode when it serves load balancers',
    (pool) => !servesLoadBalancers(pool) || !(isOn(pool.ipipMode) || isOn(pool.vxlanMode)),
  ),
  poolRule(
    `!(${forLoadBalancer}) || !has(self.disableBGPExport) || !self.disableBGPExport`,
    'cannot set disableBGPExport when it serves load balancers',
    (pool) => !servesLoadBalancers(pool) || pool.disableBGPExport !== true,
  ),
  poolRule(
    `!(${forLoadBalancer}) || !self.allowedUses.exists(use, use != 'LoadBalancer')`,
    'cannot serve load balancers and anything else in allowedUses',
    (pool) => !servesLoadBalancers(pool) || (pool.allowedUses ?? []).every((use) => use === 'LoadBalancer'),
  ),
  poolRule(
    "!has(self.namespaceSelector) || self.namespaceSelector == '' || !has(self.allowedUses) || !('Tunnel' in self.allowedUses)",
    'cannot have a namespaceSelector while allowedUses lists "Tunnel": tunnels have no namespace',
    (pool) => !pool.namespaceSelector || !pool.allowedUses?.includes('Tunnel'),
  ),
  poolRule(
    "(!has(self.nodeSelector) || !self.nodeSelector.contains('global(')) && " +
      "(!has(self.namespaceSelector) || !self.namespaceSelector.contains('global('))",
    'cannot use global() in a selector',
    (pool) => !`${pool.nodeSelector ?? ''} ${pool.namespaceSelector ?? ''}`.includes('global('),
  ),
];

function poolRule(rule: string, message: string, holds: (pool: PoolFields) => boolean): Rule {
  return { rule, message, holds: (value) => holds(value as PoolFields) };
}

function on(mode: 'ipipMode' | 'vxlanMode'): string {
  return `has(self.${mode}) && self.${mode} != 'Never'`;
}

function isOn(mode: string | undefined): boolean {
  return mode !== undefined && mode !== 'Never';
}

function isBlockSize(family: Family, length: number | undefined): boolean {
  return length === undefined || (length >= leastBlockSize[family] && length <= bitsOf(family));
}

function isV6(pool: PoolFields): boolean {
  return pool.cidr.includes(':');
}

function servesLoadBalancers(pool: PoolFields): boolean {
  return pool.allowedUses?.includes('LoadBalancer') ?? false;
}

function overlaps(pool: PoolFields, range: ReturnType<typeof parseCidr>): boolean {
  const cidr = tryParseCidr(pool.cidr);
  return cidr !== undefined && cidrsOverlap(cidr, range);
}
