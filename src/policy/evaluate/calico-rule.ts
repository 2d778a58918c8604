// Rules of Calico's policies, read beside https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
import type {
  EndpointSlice,
  EntityRule,
  GlobalNetworkPolicy,
  NetworkPolicy,
  PolicyRule,
} from '../../resources/index.ts';
import { isWithin } from './address.ts';
import type { Packet, Side } from './cluster.ts';
import { type Entity, givesName } from './entity.ts';
import { isGlobalText, isSelectorText, selectsByText } from './selector-text.ts';

/** Whether the policy is about that pod. */
export function isAbout({ metadata, spec }: NetworkPolicy | GlobalNetworkPolicy, pod: Entity): boolean {
  if (metadata.namespace !== undefined && metadata.namespace !== pod.namespace) return false;
  const account = spec.serviceAccountSelector;
  // Whom it was meant for nobody knows: everybody whom it could mean.
  const texts = [spec.selector, account, 'namespaceSelector' in spec ? spec.namespaceSelector : undefined];
  if (!texts.every((text) => isSelectorText(text ?? ''))) return true;
  if ('namespaceSelector' in spec && spec.namespaceSelector && !isInNamespace(spec.namespaceSelector, pod))
    return false;
  if (account && !(runsAsSomebody(pod) && selectsByText(account, pod.serviceAccountLabels))) return false;
  return selectsByText(spec.selector ?? '', pod.allLabels);
}

/** The directions that the policy is about: those it names, or else those it has rules for, or else ingress. */
export function sidesOf({ spec }: NetworkPolicy | GlobalNetworkPolicy): Side[] {
  // What arrives is all that can be judged before its destination is translated.
  if ('preDNAT' in spec && spec.preDNAT) return ['ingress'];
  // A word that is no direction may have meant either.
  if (spec.types?.some((type) => type !== 'Ingress' && type !== 'Egress')) return ['ingress', 'egress'];
  if (spec.types?.length) return spec.types.map((type) => (type === 'Egress' ? 'egress' : 'ingress'));
  const hasIngress = (spec.ingress?.length ?? 0) > 0;
  const hasEgress = (spec.egress?.length ?? 0) > 0;
  if (hasIngress && hasEgress) return ['ingress', 'egress'];
  return hasEgress ? ['egress'] : ['ingress'];
}

const numbers: Readonly<Record<string, number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
};

/** Whether its action is one, and every selector of the rule. */
export function isReadable({ action, source, destination }: PolicyRule): boolean {
  const isAction = ['Allow', 'Deny', 'Log', 'Pass'].includes(action);
  return (
    isAction &&
    [source, destination].every((end) =>
      [end?.selector, end?.notSelector, end?.namespaceSelector, end?.serviceAccounts?.selector].every(
        (text) => isSelectorText(text ?? ''),
      ),
    )
  );
}

/** Whether the rule holds for the packet. `namespace` is the policy's. */
export function ruleHolds(
  rule: PolicyRule,
  namespace: string | undefined,
  packet: Packet,
  entities: readonly Entity[],
  slices: readonly EndpointSlice[],
): boolean {
  if (rule.ipVersion !== undefined && (rule.ipVersion === 6) !== packet.source.includes(':')) return false;
  const isProtocol = (wanted: string | number) => numberOf(wanted) === numbers[packet.protocol];
  if (rule.protocol !== undefined && !isProtocol(rule.protocol)) return false;
  if (rule.notProtocol !== undefined && isProtocol(rule.notProtocol)) return false;
  const isIcmp = ({ type, code }: { type?: number; code?: number }) =>
    packet.icmp?.type === type && (code === undefined || packet.icmp?.code === code);
  if (rule.icmp?.type !== undefined && !isIcmp(rule.icmp)) return false;
  if (rule.notICMP?.type !== undefined && isIcmp(rule.notICMP)) return false;
  const from = rule.source?.services;
  if (from && !slicesOf(from, namespace, slices).some((slice) => hasAddress(slice, packet.source)))
    return false;
  const to = rule.destination?.services;
  if (to && !slicesOf(to, namespace, slices).some((slice) => isServed(slice, packet))) return false;
  // Names of ports are names of TCP's, unless the rule says whose.
  const hasNames = rule.protocol !== undefined || packet.protocol === 'TCP';
  const surroundings = { namespace, entities, protocol: hasNames ? packet.protocol : undefined };
  return (
    endHolds(rule.source, packet.source, packet.sourcePort, surroundings) &&
    endHolds(rule.destination, packet.destination, packet.destinationPort, surroundings)
  );
}

/** The slices of a service carry its name as a label and live in its namespace, which is the policy's unless it says another. */
function slicesOf(
  service: NonNullable<EntityRule['services']>,
  namespace: string | undefined,
  slices: readonly EndpointSlice[],
): EndpointSlice[] {
  return slices.filter(
    ({ metadata }) =>
      metadata.namespace === (service.namespace || namespace) &&
      metadata.labels?.['kubernetes.io/service-name'] === service.name,
  );
}

function hasAddress({ addressType, endpoints }: EndpointSlice, address: string): boolean {
  if (addressType !== (address.includes(':') ? 'IPv6' : 'IPv4')) return false;
  return (endpoints ?? []).some(({ addresses }) => addresses.some((own) => isWithin(address, own)));
}

function isServed(slice: EndpointSlice, { destination, protocol, destinationPort }: Packet): boolean {
  return (
    hasAddress(slice, destination) &&
    destinationPort !== undefined &&
    (slice.ports ?? []).some(
      ({ port, protocol: own = 'TCP' }) => port === destinationPort && own === protocol,
    )
  );
}

function numberOf(protocol: string | number): number | undefined {
  return /^\d+$/.test(String(protocol)) ? Number(protocol) : numbers[protocol];
}

interface Surroundings {
  /** The policy's. */
  readonly namespace: string | undefined;
  readonly entities: readonly Entity[];
  /** Of which protocol names of ports are; undefined where they mean no port of the packet's. */
  readonly protocol: Packet['protocol'] | undefined;
}

function endHolds(
  end: EntityRule | undefined,
  address: string,
  port: number | undefined,
  { namespace, entities, protocol }: Surroundings,
): boolean {
  if (!end) return true;
  const owners = entities.filter((entity) => entity.kind !== 'node' && entity.has(address));
  if (end.nets?.length && !end.nets.some((net) => isWithin(address, net))) return false;
  if (end.notNets?.length) {
    // All but some addresses of one family are addresses of that family.
    if (!end.notNets.some((net) => net.includes(':') === address.includes(':'))) return false;
    if (end.notNets.some((net) => isWithin(address, net))) return false;
  }
  const isSelective = selectsAnybody(end, namespace);
  const meant = isSelective ? owners.filter((owner) => isMeant(end, namespace, owner)) : owners;
  if (isSelective && meant.length === 0) return false;
  const { notSelector } = end;
  if (notSelector && owners.some((owner) => selectsByText(notSelector, owner.allLabels))) return false;
  // A wanted name is one that somebody gives who is meant; one that is left out may be anybody's.
  if (end.ports?.length && !end.ports.some((wanted) => portHolds(wanted, port, protocol, meant)))
    return false;
  return !end.notPorts?.some((wanted) => portHolds(wanted, port, protocol, owners));
}

/**
 * Without any of these the end is everybody, also what is no endpoint at all. In a namespace, whoever is left out is left out of
 * that namespace.
 */
function selectsAnybody(end: EntityRule, namespace: string | undefined): boolean {
  const { selector, namespaceSelector, serviceAccounts } = end;
  if (namespace !== undefined && end.notSelector) return true;
  return Boolean(
    selector || namespaceSelector || serviceAccounts?.names?.length || serviceAccounts?.selector,
  );
}

function isMeant(end: EntityRule, namespace: string | undefined, owner: Entity): boolean {
  const { selector, namespaceSelector, serviceAccounts } = end;
  if (namespaceSelector) {
    if (!isInNamespace(namespaceSelector, owner)) return false;
  } else if (namespace !== undefined && owner.namespace !== namespace) return false;
  if (serviceAccounts?.names?.length) {
    const name = owner.serviceAccountLabels['projectcalico.org/name'];
    if (name === undefined || !serviceAccounts.names.includes(name)) return false;
  }
  if (serviceAccounts?.selector) {
    if (!runsAsSomebody(owner) || !selectsByText(serviceAccounts.selector, owner.serviceAccountLabels))
      return false;
  }
  return selectsByText(selector ?? '', owner.allLabels);
}

function isInNamespace(selector: string, { namespace, namespaceLabels }: Entity): boolean {
  if (isGlobalText(selector)) return namespace === undefined;
  return namespace !== undefined && selectsByText(selector, namespaceLabels);
}

function runsAsSomebody({ serviceAccountLabels }: Entity): boolean {
  return 'projectcalico.org/name' in serviceAccountLabels;
}

function portHolds(
  wanted: number | string,
  port: number | undefined,
  protocol: Packet['protocol'] | undefined,
  owners: readonly Entity[],
): boolean {
  if (port === undefined) return false;
  const [first = '', last = first] = String(wanted).split(':');
  if (/^\d+$/.test(first)) return Number(first) <= port && port <= Number(last);
  return protocol !== undefined && owners.some((owner) => givesName(owner, first, port, protocol));
}
