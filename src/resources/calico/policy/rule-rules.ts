// What the fields of a policy's rule must satisfy together. Each for the API server (CEL) and for our own validator.
import { protocolNumber } from '../../../net/index.ts';
import { type Rule, ruleFor } from '../../field.ts';
import { isIPv6 } from '../net-fields.ts';
import { type EntityRule, present } from './entity-rule.ts';
import { isNamedPort } from './port-list.ts';
import { hasPorts, oneOfProtocols, protocolNames, withPorts } from './protocol-field.ts';

interface RuleFields {
  action: string;
  ipVersion?: number;
  protocol?: number | string;
  icmp?: object;
  source?: EntityRule;
  destination?: EntityRule;
  http?: object;
}

const ends = ['source', 'destination'] as const;
const portFields = ['ports', 'notPorts'] as const;

/** CEL: one of these, where the end itself may be absent. */
const atEnd = (end: string, field: string) => `has(self.${end}) && ${present(`${end}.${field}`)}`;
const anyPorts = ends.flatMap((end) => portFields.map((field) => atEnd(end, field))).join(' || ');
const unnamedPorts = ends
  .flatMap((end) =>
    portFields.map((field) => `${atEnd(end, field)} && self.${end}.${field}.exists(port, type(port) == int)`),
  )
  .join(' || ');
const firstNets = ends.flatMap((end) =>
  ['nets', 'notNets'].map((field) => ({
    there: atEnd(end, field),
    isV6: `self.${end}.${field}[0].contains(':')`,
  })),
);

const common: Rule[] = [
  ...protocolNames,
  ruleFor<RuleFields>(
    `has(self.protocol) || !(${unnamedPorts})`,
    'needs a protocol: only named ports can do without',
    ({ protocol, ...rule }) => protocol !== undefined || portsOf(rule).every(isNamedPort),
  ),
  ruleFor<RuleFields>(
    `!has(self.protocol) || ${oneOfProtocols('self.protocol', withPorts)} || !(${anyPorts})`,
    'cannot have ports with a protocol that has none: ports need TCP, UDP or SCTP',
    ({ protocol, ...rule }) => protocol === undefined || hasPorts(protocol) || portsOf(rule).length === 0,
  ),
  ruleFor<RuleFields>(
    `!has(self.icmp) || has(self.protocol) && ${oneOfProtocols('self.protocol', ['ICMP', 'ICMPv6', 1, 58])}`,
    'cannot have icmp unless protocol is ICMP or ICMPv6',
    ({ icmp, protocol }) => icmp === undefined || isIcmp(protocol, 1) || isIcmp(protocol, 58),
  ),
  ruleFor<RuleFields>(
    `!has(self.ipVersion) || self.ipVersion == 4 || !has(self.protocol) || !${oneOfProtocols('self.protocol', ['ICMP', 1])}`,
    'cannot have ipVersion 6 with protocol ICMP, which is of IPv4',
    ({ ipVersion, protocol }) => ipVersion !== 6 || !isIcmp(protocol, 1),
  ),
  ruleFor<RuleFields>(
    `!has(self.ipVersion) || self.ipVersion == 6 || !has(self.protocol) || !${oneOfProtocols('self.protocol', ['ICMPv6', 58])}`,
    'cannot have ipVersion 4 with protocol ICMPv6, which is of IPv6',
    ({ ipVersion, protocol }) => ipVersion !== 4 || !isIcmp(protocol, 58),
  ),
  ruleFor<RuleFields>(
    `!has(self.ipVersion) || ${firstNets
      .map(({ there, isV6 }) => `(!(${there}) || ${isV6} == (self.ipVersion == 6))`)
      .join(' && ')}`,
    'cannot have nets of another IP version than ipVersion',
    (rule) =>
      rule.ipVersion === undefined ||
      firstNetsOf(rule).every((net) => isIPv6(net) === (rule.ipVersion === 6)),
  ),
  ruleFor<RuleFields>(
    firstNets
      .slice(0, 2)
      .flatMap((source) =>
        firstNets
          .slice(2)
          .map((target) => `(!(${source.there}) || !(${target.there}) || ${source.isV6} == ${target.isV6})`),
      )
      .join(' && '),
    'cannot mix IPv4 and IPv6 in the nets of source and destination',
    (rule) => new Set(firstNetsOf(rule).map(isIPv6)).size < 2,
  ),
];

const ofIngress: Rule[] = [
  ruleFor<RuleFields>(
    "!has(self.http) || self.action == 'Allow'",
    'cannot have http unless action is Allow',
    ({ http, action }) => http === undefined || action === 'Allow',
  ),
  ruleFor<RuleFields>(
    `!has(self.http) || !has(self.protocol) || ${oneOfProtocols('self.protocol', ['TCP', 6])}`,
    'cannot have http with a protocol other than TCP',
    ({ http, protocol }) => http === undefined || protocol === undefined || protocolNumber(protocol) === 6,
  ),
];

const ofEgress: Rule[] = [
  ruleFor<RuleFields>(
    '!has(self.http)',
    'cannot have http: only ingress rules are judged by it',
    ({ http }) => http === undefined,
  ),
];

export function rulesOfRule(direction: 'ingress' | 'egress'): Rule[] {
  return [...common, ...(direction === 'ingress' ? ofIngress : ofEgress)];
}

function portsOf({ source, destination }: Omit<RuleFields, 'protocol'>): (number | string)[] {
  return [source, destination].flatMap((end) => [...(end?.ports ?? []), ...(end?.notPorts ?? [])]);
}

/** One net of each list: every list is of one family by itself. */
function firstNetsOf({ source, destination }: RuleFields): string[] {
  return [source?.nets, source?.notNets, destination?.nets, destination?.notNets].flatMap(
    (nets) => nets?.slice(0, 1) ?? [],
  );
}

function isIcmp(protocol: number | string | undefined, number: 1 | 58): boolean {
  return protocol !== undefined && protocolNumber(protocol) === number;
}
