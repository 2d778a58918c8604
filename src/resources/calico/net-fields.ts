// Fields that hold networks: a CIDR, or a bare address that stands for a CIDR of one.
import { tryParseAddress, tryParseNet } from '../../net/index.ts';
import { arrayOf, type FieldOptions, type Rule, ruleFor, string } from '../field.ts';

/** The longest text of an IPv6 CIDR in hexadecimal. A bound of ours: without one no rule may read the text. */
const maxLength = 43;

/** Most networks of a set. A bound of ours, far above what one stored object can hold. */
const maxNets = 100_000;

const isNet: Rule = ruleFor<string>(
  'isCIDR(self) || isIP(self)',
  'must be a CIDR or an address, such as "10.0.0.0/8" or "fd00::1"',
  (text) => tryParseNet(text) !== undefined,
);

/** The networks of a network set: any number, host bits are cleared. */
export function networks(options: FieldOptions = {}) {
  const net = string({ maxLength, 'x-kubernetes-validations': [isNet] });
  return arrayOf(net, { maxItems: maxNets, 'x-kubernetes-list-type': 'set', ...options });
}

/** The networks of a rule: at most 256, of one family, without host bits. */
export function ruleNetworks(options: FieldOptions & { except?: true }) {
  const { except, ...rest } = options;
  const net = string({ maxLength, 'x-kubernetes-validations': [isNet], check: hostBits });
  return arrayOf(net, {
    maxItems: 256,
    'x-kubernetes-list-type': 'set',
    ...(except && { 'x-kubernetes-validations': [notEverything] }),
    check: familyFault,
    ...rest,
  });
}

/** Of a network or an address as text. */
export function isIPv6(net: string): boolean {
  return net.includes(':');
}

/** Not for CEL: with the other rules over every net of every rule it would cost more than an API server allows. */
function familyFault(nets: unknown): string | undefined {
  const families = new Set((nets as string[]).map(isIPv6));
  return families.size > 1 ? 'must not mix IPv4 and IPv6' : undefined;
}

const notEverything = ruleFor<string[]>(
  "self.all(net, !net.endsWith('/0'))",
  'must not except everything with a prefix of length 0',
  (nets) => nets.every((net) => !net.endsWith('/0')),
);

/** Calico takes only the first address of a network in rules: "10.0.0.1/8" is more likely a slip than a wish. */
function hostBits(text: unknown): string | undefined {
  const net = String(text);
  const address = tryParseAddress(net.split('/')[0] ?? '');
  const block = tryParseNet(net);
  if (!address || !block || address.value === block.network) return undefined;
  return 'must not have address bits beyond the prefix';
}
