// What the conditions of a rule are asked of. The connection, for most: "source" is who opened it and "destination" whom it
// reached after translation, so that a reply is judged exactly as the packet that it answers, and a connection can be judged
// again at any moment, by whichever of its packets comes first.

import type { Expression, TupleDirection, TupleKey } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import type { HostStage } from '../../policy/index.ts';

export type Side = 'source' | 'destination';

type Register = number;

/** Where a packet's facts are loaded from. */
export interface View {
  address(side: Side, family: Family, to: Register): Expression;
  port(side: Side, to: Register): Expression;
  protocol(to: Register): Expression;
  /** ICMP's type and, in the next byte, its code. */
  icmp(to: Register): Expression;
}

interface Tuple {
  readonly direction: TupleDirection;
  readonly end: 'saddr' | 'daddr';
  readonly port: TupleKey;
}

const opened: Tuple = { direction: 'original', end: 'saddr', port: 'proto-src' };
/** The reply comes from whom the connection reached, whatever address it was sent to. */
const reached: Tuple = { direction: 'reply', end: 'saddr', port: 'proto-src' };
/** Whom the opener meant, before anybody translated the address. */
const meant: Tuple = { direction: 'original', end: 'daddr', port: 'proto-dst' };

function tupleView(source: Tuple, destination: Tuple, direction: TupleDirection): View {
  const tupleOf = (side: Side) => (side === 'source' ? source : destination);
  return {
    address: (side, family, to) => {
      const { end, ...tuple } = tupleOf(side);
      const key = family === 4 ? (`ip ${end}` as const) : (`ip6 ${end}` as const);
      return { kind: 'ct tuple', direction: tuple.direction, key, to };
    },
    port: (side, to) => {
      const tuple = tupleOf(side);
      return { kind: 'ct tuple', direction: tuple.direction, key: tuple.port, to };
    },
    // It is the same both ways, and the kernel does not say in which it was asked.
    protocol: (to) => ({ kind: 'ct tuple', key: 'protocol', direction: 'original', to }),
    // Where other protocols have a destination port, a connection of ICMP has the type and the code of its first message.
    icmp: (to) => ({ kind: 'ct tuple', key: 'proto-dst', direction, to }),
  };
}

/** The packet in hand, for those that shall have no connection. RFC 791, 8200, 793, 768, 792. */
const packetView: View = {
  address: (side, family, to) => {
    const first = side === 'source';
    const [offset, length] = family === 4 ? [first ? 12 : 16, 4] : [first ? 8 : 24, 16];
    return { kind: 'payload', base: 'network', offset, length, to };
  },
  port: (side, to) => ({
    kind: 'payload',
    base: 'transport',
    offset: side === 'source' ? 0 : 2,
    length: 2,
    to,
  }),
  protocol: (to) => ({ kind: 'meta', key: 'l4proto', to }),
  icmp: (to) => ({ kind: 'payload', base: 'transport', offset: 0, length: 2, to }),
};

export const connection = tupleView(opened, reached, 'original');
export const untranslated = tupleView(opened, meant, 'original');

/** A packet as its sender made it, whatever has been translated since, by the direction of its connection that it goes. */
function asSent(direction: TupleDirection): View {
  return tupleView(
    { direction, end: 'saddr', port: 'proto-src' },
    { direction, end: 'daddr', port: 'proto-dst' },
    direction,
  );
}

/** The view of a policy that is asked at that stage; of packets without a connection, or of such as have one and go that way. */
export function viewOf(stage: HostStage | undefined, going?: TupleDirection): View {
  if (stage === 'untracked') return going ? asSent(going) : packetView;
  return stage === 'preDNAT' ? untranslated : connection;
}
