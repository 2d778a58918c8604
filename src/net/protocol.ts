// IP protocols by the names that policies use. Numbers: IANA "Assigned Internet Protocol Numbers".

const numbers = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
} as const;

export type ProtocolName = keyof typeof numbers;

/** Accepts a name or a number 1 to 255; returns undefined for anything else. Names are case-sensitive, as in the API. */
export function protocolNumber(protocol: string | number): number | undefined {
  if (typeof protocol === 'string')
    return Object.hasOwn(numbers, protocol) ? numbers[protocol as ProtocolName] : undefined;
  return Number.isInteger(protocol) && protocol >= 1 && protocol <= 255 ? protocol : undefined;
}
