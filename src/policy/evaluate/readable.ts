// Whether a rule says what can be understood. The API refuses most of what cannot be, but its stores hold what older versions took.
// What such a rule is taken for, `asked.ts` says.
import type {
  ClusterNetworkPolicyRule,
  EntityRule,
  LabelSelector,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  PolicyRule,
} from '../../resources/index.ts';
import { isBlock } from './address.ts';
import type { Side } from './cluster.ts';
import { isSelectorText } from './selector-text.ts';

const protocols: Readonly<Record<string, number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
};

/** Undefined for a protocol that there is not. */
export function protocolNamed(protocol: string | number): number | undefined {
  if (typeof protocol === 'string' && Object.hasOwn(protocols, protocol)) return protocols[protocol];
  const number = /^[0-9]+$/.test(String(protocol)) ? Number(protocol) : 0;
  return number >= 1 && number <= 255 ? number : undefined;
}

/** A field that is there and empty says as much as one that is not. */
export function isSaid<T>(value: T | '' | undefined): value is T {
  return value !== undefined && value !== '';
}

/** `namespace` is the policy's. Requests over HTTP are not looked into here: what asks for them is not understood either. */
export function isReadable(rule: PolicyRule, namespace: string | undefined): boolean {
  const { action, http, ipVersion, protocol, notProtocol, icmp, notICMP, source, destination } = rule;
  const isProtocol = (one: string | number | undefined) => !isSaid(one) || protocolNamed(one) !== undefined;
  const number = isSaid(protocol) ? protocolNamed(protocol) : undefined;
  return (
    ['Allow', 'Deny', 'Pass', 'Log'].includes(action) &&
    http === undefined &&
    (ipVersion === undefined || ipVersion === 4 || ipVersion === 6) &&
    isProtocol(protocol) &&
    isProtocol(notProtocol) &&
    (icmp?.type === undefined || number === 1 || number === 58) &&
    [icmp, notICMP].every((message) => [message?.type, message?.code].every(isOctet)) &&
    [source, destination].every(
      (end) =>
        end === undefined || (isReadableEnd(end, namespace) && havePorts(end, isSaid(protocol), number)),
    )
  );
}

function isOctet(value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 0 && value <= 255);
}

function isReadableEnd(end: EntityRule, namespace: string | undefined): boolean {
  const { services, ...others } = end;
  if (services) {
    const isAlone = Object.values(others).every((value) => Object.keys(value ?? {}).length === 0);
    return isAlone && Boolean(services.name) && Boolean(services.namespace || namespace);
  }
  const { selector, notSelector, namespaceSelector, serviceAccounts, nets, notNets } = end;
  return (
    [selector, notSelector, namespaceSelector, serviceAccounts?.selector].every((text) =>
      isSelectorText(text ?? ''),
    ) && [...(nets ?? []), ...(notNets ?? [])].every(isBlock)
  );
}

/** Without a protocol a port can only be told by its name; and not every protocol has ports. */
function havePorts(end: EntityRule, hasProtocol: boolean, protocol: number | undefined): boolean {
  const ports = [...(end.ports ?? []), ...(end.notPorts ?? [])];
  return ports.every((port) => {
    const [, first, last] = /^(\d+)(?::(\d+))?$/.exec(String(port)) ?? [];
    const isName = typeof port === 'string' && /^[a-zA-Z0-9_.-]{1,128}$/.test(port);
    const isNumber =
      first !== undefined && Number(first) <= Number(last ?? first) && Number(last ?? first) <= 65535;
    if (first === undefined ? !isName : !isNumber) return false;
    return hasProtocol ? [6, 17, 132].includes(protocol ?? 0) : first === undefined;
  });
}

/** Nobody here knows whose addresses a domain's are. */
export function isReadableClusterRule(
  { action, from, to, protocols: list }: ClusterNetworkPolicyRule,
  side: Side,
): boolean {
  const peers = (side === 'ingress' ? from : to) ?? [];
  const isPeer = ({ domainNames, networks, nodes, ...subject }: (typeof peers)[number]) => {
    if (domainNames) return false;
    if (networks) return networks.length > 0 && networks.every((text) => text.includes('/') && isBlock(text));
    return nodes ? isReadableSelector(nodes) : isReadableSubject(subject);
  };
  const isProtocol = ({ destinationNamedPort, tcp, udp, sctp }: NonNullable<typeof list>[number]) => {
    if (destinationNamedPort) return true;
    const { number, range } = (tcp ?? udp ?? sctp)?.destinationPort ?? {};
    const [start, end] = number === undefined ? [range?.start ?? 0, range?.end ?? 65535] : [number, number];
    return (tcp ?? udp ?? sctp) !== undefined && 0 <= start && start <= end && end <= 65535;
  };
  return (
    ['Accept', 'Deny', 'Pass'].includes(action) &&
    peers.length > 0 &&
    peers.every(isPeer) &&
    (list ?? []).every(isProtocol)
  );
}

type Peer = NonNullable<ClusterNetworkPolicyRule['from']>[number];

export function isReadableSubject({ namespaces, pods }: Pick<Peer, 'namespaces' | 'pods'>): boolean {
  if (namespaces) return isReadableSelector(namespaces);
  return (
    pods !== undefined &&
    [pods.namespaceSelector, pods.podSelector].every((selector) => isReadableSelector(selector ?? {}))
  );
}

/** The API server refuses values that are missing, and operators that are none. */
export function isReadableSelector({ matchExpressions = [] }: LabelSelector): boolean {
  return matchExpressions.every(({ operator, values = [] }) =>
    operator === 'In' || operator === 'NotIn'
      ? values.length > 0
      : operator === 'Exists' || operator === 'DoesNotExist',
  );
}

/** Whether it can be told whom it names. */
export function isReadableKubernetesRule(
  rule: NetworkPolicyIngressRule & NetworkPolicyEgressRule,
  side: Side,
): boolean {
  const peers = (side === 'ingress' ? rule.from : rule.to) ?? [];
  return peers.every(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock) return true;
    const selectors = [namespaceSelector, podSelector].filter((selector) => selector !== undefined);
    return selectors.length > 0 && selectors.every(isReadableSelector);
  });
}
