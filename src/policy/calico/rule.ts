// A rule of a Calico policy as rules of the rule tree. Source of the semantics:
// https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#rule
import { type Cidr, mergeRanges, protocolNumber, tryParseNet } from '../../net/index.ts';
import type { EntityRule, PolicyRule } from '../../resources/index.ts';
import { parseSelector } from '../../selector/index.ts';
import type { Match, PeerMatch, Rule, ServiceName } from '../model.ts';
import { readPorts } from './ports.ts';
import { scopeSelector } from './scope.ts';

/**
 * Usually one rule; several, side by side, where a list of ports has names among its numbers.
 * @throws RangeError, SelectorSyntaxError for what cannot be understood
 */
export function readRule(rule: PolicyRule, namespace: string | undefined, origin: string): Rule[] {
  if (!actions.has(rule.action)) throw new RangeError(`"${rule.action}" is not an action`);
  if (rule.http)
    throw new RangeError('HTTP cannot be matched in the kernel, and nothing else enforces it here');
  const common: Match = {
    ...(rule.ipVersion !== undefined && { family: readFamily(rule.ipVersion) }),
    ...(isGiven(rule.protocol) && { protocol: readProtocol(rule.protocol) }),
    ...(isGiven(rule.notProtocol) && { notProtocol: readProtocol(rule.notProtocol) }),
    ...(rule.icmp?.type !== undefined && { icmp: { ...rule.icmp, type: rule.icmp.type } }),
    ...(rule.notICMP?.type !== undefined && { notIcmp: { ...rule.notICMP, type: rule.notICMP.type } }),
  };
  if (common.icmp && common.protocol !== 1 && common.protocol !== 58)
    throw new RangeError('icmp needs the protocol ICMP or ICMPv6');
  for (const message of [rule.icmp, rule.notICMP]) refuseNoOctets(message);
  for (const end of [rule.source, rule.destination]) refusePortsWithout(common.protocol, end);
  const rules: Rule[] = [];
  const isOnce = rule.action === 'Log';
  const peersOf = (end: EntityRule | undefined) => readPeers(end, namespace, common.protocol, isOnce);
  for (const source of peersOf(rule.source)) {
    for (const destination of peersOf(rule.destination)) {
      const match: Match = {
        ...common,
        ...(Object.keys(source).length > 0 && { source }),
        ...(Object.keys(destination).length > 0 && { destination }),
      };
      rules.push({ action: rule.action, match, origin });
    }
  }
  return rules;
}

/** The kernel compares single bytes: of a larger number it would see a part. */
function refuseNoOctets({ type = 0, code = 0 }: NonNullable<PolicyRule['icmp']> = {}): void {
  for (const number of [type, code])
    if (!Number.isInteger(number) || number < 0 || number > 255)
      throw new RangeError(`${number} is no type or code of ICMP`);
}

/** Only a protocol that has ports makes sense of a number; a port's name means TCP where the rule has none. */
function refusePortsWithout(protocol: number | undefined, end: EntityRule | undefined): void {
  if (protocol !== undefined && withPorts.has(protocol)) return;
  const ports = [...(end?.ports ?? []), ...(end?.notPorts ?? [])];
  const isSayable = protocol === undefined && readPorts(ports).ranges.length === 0;
  if (ports.length > 0 && !isSayable) throw new RangeError('ports need the protocol TCP, UDP or SCTP');
}

const actions: ReadonlySet<string> = new Set([
  'Allow',
  'Deny',
  'Log',
  'Pass',
] satisfies PolicyRule['action'][]);
const withPorts = new Set(['TCP', 'UDP', 'SCTP'].map(protocolNumber));

/** Of names of ports, where the rule has no protocol; as upstream. */
const protocolOfNames = 6;

/**
 * One match for the numbers among the ports and one for each name; a single one when there are no ports. A name may stand for
 * a port that is said otherwise, too: where `isOnce`, a later match is not for what an earlier one is for.
 */
function readPeers(
  entity: EntityRule | undefined,
  namespace: string | undefined,
  protocol: number | undefined,
  isOnce: boolean,
): PeerMatch[] {
  if (!entity) return [{}];
  if (entity.services) return [{ service: readService(entity, entity.services, namespace) }];
  const { nets, notNets, notSelector } = entity;
  const notPorts = readPorts(entity.notPorts ?? []);
  const ofNames = protocol === undefined && { namedPortProtocol: protocolOfNames };
  const who: PeerMatch = {
    ...(nets?.length && { nets: nets.map(readNet) }),
    ...(notNets?.length && { notNets: notNets.map(readNet) }),
    ...(isSelecting(entity, namespace) && {
      selector: scopeSelector({ ...entity, namespace } as Parameters<typeof scopeSelector>[0]),
    }),
    ...(notSelector && { notSelector: parseSelector(notSelector) }),
    ...(notPorts.ranges.length > 0 && { notPorts: notPorts.ranges }),
    ...(notPorts.names.length > 0 && { notNamedPorts: notPorts.names, ...ofNames }),
  };
  if (!entity.ports?.length) return [who];
  const { ranges, names } = readPorts(entity.ports);
  const others = (index: number): PeerMatch => {
    const [numbers, earlier] = [mergeRanges([...notPorts.ranges, ...ranges]), names.slice(0, index)];
    return {
      ...(numbers.length > 0 && { notPorts: numbers }),
      ...(notPorts.names.length + index > 0 && { notNamedPorts: [...notPorts.names, ...earlier] }),
    };
  };
  return [
    ...(ranges.length > 0 ? [{ ...who, ports: ranges }] : []),
    ...names.map((namedPort, index) => ({ ...who, ...(isOnce && others(index)), namedPort, ...ofNames })),
  ];
}

/** A service brings its own addresses and ports: beside it nothing else may be said. */
function readService(
  { services: _, ...others }: EntityRule,
  { name, namespace: own }: NonNullable<EntityRule['services']>,
  namespace: string | undefined,
): ServiceName {
  const other = Object.entries(others).find(
    ([, value]) => value !== undefined && Object.keys(value).length > 0,
  );
  if (other) throw new RangeError(`services cannot stand beside ${other[0]}`);
  if (!name) throw new RangeError('services names no service');
  const where = own || namespace;
  if (!where) throw new RangeError('services names no namespace, and the policy has none');
  return { namespace: where, name };
}

/**
 * An end that selects nobody means everybody, endpoint or not, wherever the policy stands. A `notSelector` leaves out of a
 * namespaced policy's own namespace, and out of everybody where the policy has none.
 */
function isSelecting(
  { selector, notSelector, namespaceSelector, serviceAccounts }: EntityRule,
  namespace: string | undefined,
): boolean {
  return Boolean(
    selector ||
      namespaceSelector ||
      serviceAccounts?.selector ||
      serviceAccounts?.names?.length ||
      (namespace !== undefined && notSelector),
  );
}

function isGiven(protocol: string | number | undefined): protocol is string | number {
  return protocol !== undefined && protocol !== '';
}

function readProtocol(protocol: string | number): number {
  const number = protocolNumber(/^\d+$/.test(String(protocol)) ? Number(protocol) : protocol);
  if (number === undefined) throw new RangeError(`"${protocol}" is not a protocol`);
  return number;
}

function readFamily(version: number): 4 | 6 {
  if (version === 4 || version === 6) return version;
  throw new RangeError(`${version} is not a version of IP`);
}

function readNet(text: string): Cidr {
  const net = tryParseNet(text);
  if (!net) throw new RangeError(`"${text}" is neither an address nor a CIDR`);
  return net;
}
