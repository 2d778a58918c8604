// Kubernetes' address functions: ip(), isIP(), cidr(), isCIDR() and the methods of what they return.
// Source: https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#IP and #CIDR. Neither takes zones or IPv4-mapped IPv6.
import type { Environment } from '@marcbachmann/cel-js';
import {
  type Address,
  type Cidr as Block,
  cidrContains,
  formatAddress,
  tryParseAddress,
  tryParseCidr,
} from '../../../net/index.ts';
import type { Comparable } from '../equal.ts';
import { noResult } from '../fault.ts';

class Ip implements Comparable {
  readonly address: Address;
  constructor(address: Address) {
    this.address = address;
  }
  equals(other: unknown): boolean {
    return (
      other instanceof Ip &&
      other.address.family === this.address.family &&
      other.address.value === this.address.value
    );
  }
}

/** A block as written: the address keeps its host bits. */
class Cidr implements Comparable {
  readonly address: Address;
  readonly block: Block;
  constructor(address: Address, block: Block) {
    this.address = address;
    this.block = block;
  }
  equals(other: unknown): boolean {
    return (
      other instanceof Cidr &&
      other.block.length === this.block.length &&
      new Ip(this.address).equals(new Ip(other.address))
    );
  }
}

/** `ip` is a function and also the home of ip.isCanonical. */
class IpFunctions {}

export function registerNetwork(environment: Environment): void {
  const method = (signature: string, handler: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, handler, { async: false });

  environment
    .registerType('net.IP', { ctor: Ip })
    .registerType('net.CIDR', { ctor: Cidr })
    .registerType('IpFunctions', IpFunctions)
    .registerConstant('ip', 'IpFunctions', new IpFunctions())
    .registerOperator('net.IP == net.IP', (a: Ip, b: Ip) => a.equals(b))
    .registerOperator('net.CIDR == net.CIDR', (a: Cidr, b: Cidr) => a.equals(b));

  method('isIP(string): bool', (text: string) => tryParseIp(text) !== undefined);
  method('ip(string): net.IP', parseIp);
  method('string(net.IP): string', (ip: Ip) => formatAddress(ip.address));
  method(
    'IpFunctions.isCanonical(string): bool',
    (_: IpFunctions, text: string) => formatAddress(parseIp(text).address) === text,
  );
  method('net.IP.family(): int', (ip: Ip) => BigInt(ip.address.family));
  for (const [name, { v4, v6 }] of Object.entries(ranges)) {
    method(`net.IP.${name}(): bool`, (ip: Ip) => isWithin(ip.address, v4, v6));
  }
  method('net.IP.isGlobalUnicast(): bool', (ip: Ip) => isGlobalUnicast(ip.address));

  method('isCIDR(string): bool', (text: string) => tryParse(text) !== undefined);
  method('cidr(string): net.CIDR', parse);
  method('string(net.CIDR): string', textOf);
  method('net.CIDR.containsIP(net.IP): bool', (cidr: Cidr, ip: Ip) => cidrContains(cidr.block, ip.address));
  method('net.CIDR.containsIP(string): bool', (cidr: Cidr, ip: string) =>
    cidrContains(cidr.block, parseIp(ip).address),
  );
  method('net.CIDR.containsCIDR(net.CIDR): bool', containsCidr);
  method('net.CIDR.containsCIDR(string): bool', (cidr: Cidr, other: string) =>
    containsCidr(cidr, parse(other)),
  );
  method('net.CIDR.ip(): net.IP', (cidr: Cidr) => new Ip(cidr.address));
  method('net.CIDR.prefixLength(): int', (cidr: Cidr) => BigInt(cidr.block.length));
  method('net.CIDR.masked(): net.CIDR', (cidr: Cidr) => {
    const { family, network } = cidr.block;
    return new Cidr({ family, value: network }, cidr.block);
  });
}

const ranges = {
  isUnspecified: { v4: '0.0.0.0/32', v6: '::/128' },
  isLoopback: { v4: '127.0.0.0/8', v6: '::1/128' },
  isLinkLocalUnicast: { v4: '169.254.0.0/16', v6: 'fe80::/10' },
  isLinkLocalMulticast: { v4: '224.0.0.0/24', v6: 'ff02::/16' },
};

function isWithin(address: Address, v4: string, v6: string): boolean {
  const range = tryParseCidr(address.family === 4 ? v4 : v6);
  return range !== undefined && cidrContains(range, address);
}

/** As Go's netip has it: private addresses count, the unspecified, broadcast, loopback, multicast and link-local ones do not. */
function isGlobalUnicast(address: Address): boolean {
  const { isUnspecified, isLoopback, isLinkLocalUnicast } = ranges;
  const broadcast = address.family === 4 && address.value === 0xffffffffn;
  const others = [isUnspecified, isLoopback, isLinkLocalUnicast, { v4: '224.0.0.0/4', v6: 'ff00::/8' }];
  return !broadcast && !others.some(({ v4, v6 }) => isWithin(address, v4, v6));
}

function tryParseIp(text: string): Ip | undefined {
  const address = tryParseAddress(text);
  return address === undefined || isMapped(address) ? undefined : new Ip(address);
}

function isMapped(address: Address): boolean {
  return address.family === 6 && address.value >> 32n === 0xffffn;
}

function parseIp(text: string): Ip {
  const ip = tryParseIp(text);
  if (!ip) throw noResult(`IP Address "${text}" parse error during conversion from string`);
  return ip;
}

function tryParse(text: string): Cidr | undefined {
  const block = tryParseCidr(text);
  const address = tryParseAddress(text.split('/', 1)[0] ?? '');
  return block && address && !isMapped(address) ? new Cidr(address, block) : undefined;
}

function parse(text: string): Cidr {
  const cidr = tryParse(text);
  if (!cidr) throw noResult(`network address "${text}" parse error during conversion from string`);
  return cidr;
}

function textOf({ address, block }: Cidr): string {
  return `${formatAddress(address)}/${block.length}`;
}

function containsCidr(outer: Cidr, inner: Cidr): boolean {
  const { family, network, length } = inner.block;
  return length >= outer.block.length && cidrContains(outer.block, { family, value: network });
}
