// The protocol of a rule or of a port: a name or a number. Numbers: IANA "Assigned Internet Protocol Numbers".
import { protocolNumber } from '../../../net/index.ts';
import { type FieldOptions, integerOrString, type Rule, ruleFor } from '../../field.ts';

const names = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite'];

/** The protocols that have ports, by name and number. */
export const withPorts = ['TCP', 'UDP', 'SCTP', 6, 17, 132];

/** The names that the protocol fields of a rule may have, for CEL; it stands at the rule, where it costs next to nothing. */
export const protocolNames: Rule[] = ['protocol', 'notProtocol'].map((field) =>
  ruleFor<Record<string, number | string>>(
    `!has(self.${field}) || type(self.${field}) == int || ${oneOfProtocols(`self.${field}`, names)}`,
    `must have one of ${names.join(', ')} or a number as ${field}`,
    ({ [field]: value }) => value === undefined || protocolNumber(value) !== undefined,
  ),
);

function protocolFault(value: unknown): string | undefined {
  return protocolNumber(value as number | string) === undefined
    ? 'must be TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255'
    : undefined;
}

function portProtocolFault(value: unknown): string | undefined {
  return hasPorts(value as number | string) ? undefined : 'must be TCP, UDP or SCTP, which have ports';
}

/**
 * A CEL expression: a protocol is one of these. Spelled out, because a list of CEL holds one type and `in` is charged for
 * as if the text had no end.
 */
export function oneOfProtocols(field: string, protocols: readonly (string | number)[]): string {
  return `(${protocols
    .map((one) => `${field} == ${typeof one === 'string' ? `'${one}'` : one}`)
    .join(' || ')})`;
}

export function protocol(options: FieldOptions = {}) {
  return integerOrString({ check: protocolFault, ...options });
}

/** A protocol that has ports. */
export function portProtocol(options: FieldOptions = {}) {
  return integerOrString({ check: portProtocolFault, ...options });
}

export function hasPorts(value: number | string): boolean {
  return [6, 17, 132].includes(protocolNumber(value) ?? 0);
}
