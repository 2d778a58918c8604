// Writes expressions, verdicts and set elements as nf_tables attributes. Integers travel in network order; what stands in
// registers (addresses, ports, marks) travels as bytes, already in the order that the register has.
//
//   LIST_ELEM 1 { EXPR_NAME 1, EXPR_DATA 2 { the expression's own attributes } }
import type { MessageWriter } from '../netlink/index.ts';
import {
  comparisons,
  connectionKeys,
  elementIntervalEnd,
  families,
  metaKeys,
  natFlags,
  payloadBases,
  tupleKeys,
  verdicts,
} from './constants.ts';
import { type Expression, registers, type Verdict } from './expression.ts';
import type { Element } from './objects.ts';

const listElement = 1;

export function writeExpression(writer: MessageWriter, expression: Expression): void {
  writer.beginNested(listElement).string(1, nameOf(expression)).beginNested(2);
  writeData(writer, expression);
  writer.endNested().endNested();
}

function nameOf(expression: Expression): string {
  switch (expression.kind) {
    case 'meta set':
      return 'meta';
    case 'ct tuple':
    case 'ct set':
      return 'ct';
    case 'verdict':
      return 'immediate';
    case 'payload set':
      return 'payload';
    case 'other':
      return expression.name;
    default:
      return expression.kind;
  }
}

function writeData(writer: MessageWriter, expression: Expression): void {
  switch (expression.kind) {
    case 'payload':
      // DREG 1, BASE 2, OFFSET 3, LEN 4
      writer.u32be(1, expression.to).u32be(2, payloadBases.indexOf(expression.base));
      writer.u32be(3, expression.offset).u32be(4, expression.length);
      return;
    case 'meta':
      // DREG 1, KEY 2, SREG 3
      writer.u32be(1, expression.to).u32be(2, metaKeys[expression.key]);
      return;
    case 'meta set':
      writer.u32be(2, metaKeys[expression.key]).u32be(3, expression.from);
      return;
    case 'ct':
      // DREG 1, KEY 2, DIRECTION 3, SREG 4
      writer.u32be(1, expression.to).u32be(2, connectionKeys[expression.key]);
      return;
    case 'ct tuple':
      writer.u32be(1, expression.to).u32be(2, tupleKeys[expression.key]);
      writer.u8(3, expression.direction === 'original' ? 0 : 1);
      return;
    case 'ct set':
      writer.u32be(2, connectionKeys[expression.key]).u32be(4, expression.from);
      return;
    case 'cmp':
      // SREG 1, OP 2, DATA 3
      writer.u32be(1, expression.register).u32be(2, comparisons.indexOf(expression.comparison));
      writeValue(writer, 3, expression.value);
      return;
    case 'bitwise':
      // SREG 1, DREG 2, LEN 3, MASK 4, XOR 5
      writer.u32be(1, expression.from).u32be(2, expression.to).u32be(3, expression.mask.length);
      writeValue(writer, 4, expression.mask);
      writeValue(writer, 5, expression.xor);
      return;
    case 'lookup':
      // SET 1, SREG 2, DREG 3, FLAGS 5 (NFT_LOOKUP_F_INV 1)
      writer.string(1, expression.set).u32be(2, expression.register);
      if (expression.to !== undefined) writer.u32be(3, expression.to);
      if (expression.invert) writer.u32be(5, 1);
      return;
    case 'immediate':
      // DREG 1, DATA 2
      writer.u32be(1, expression.to);
      writeValue(writer, 2, expression.value);
      return;
    case 'verdict':
      writer.u32be(1, registers.verdict);
      writeVerdict(writer, 2, expression.verdict);
      return;
    case 'log':
      // GROUP 1, PREFIX 2
      if (expression.group !== undefined) writer.u16be(1, expression.group);
      writer.string(2, expression.prefix);
      return;
    case 'payload set': {
      // BASE 2, OFFSET 3, LEN 4, SREG 5, CSUM_TYPE 6 (NFT_PAYLOAD_CSUM_INET 1), CSUM_OFFSET 7
      const { base, offset, length, from, checksumAt } = expression;
      writer.u32be(2, payloadBases.indexOf(base)).u32be(3, offset).u32be(4, length).u32be(5, from);
      if (checksumAt !== undefined) writer.u32be(6, 1).u32be(7, checksumAt);
      return;
    }
    case 'masq': {
      // FLAGS 1, REG_PROTO_MIN 2, REG_PROTO_MAX 3
      const { portMin, portMax } = expression;
      writer.u32be(1, natFlagsOf(expression));
      if (portMin !== undefined) writer.u32be(2, portMin).u32be(3, portMax ?? portMin);
      return;
    }
    case 'nat': {
      // TYPE 1 (NFT_NAT_SNAT 0, NFT_NAT_DNAT 1), FAMILY 2, REG_ADDR_MIN 3, REG_ADDR_MAX 4, REG_PROTO_MIN 5, REG_PROTO_MAX 6, FLAGS 7
      const { side, family, address, portMin, portMax } = expression;
      writer.u32be(1, side === 'source' ? 0 : 1).u32be(2, family === 4 ? families.ip : families.ip6);
      writer.u32be(3, address).u32be(4, address);
      if (portMin !== undefined) writer.u32be(5, portMin).u32be(6, portMax ?? portMin);
      writer.u32be(7, natFlagsOf(expression) | natFlags.addresses);
      return;
    }
    case 'reject':
      // TYPE 1 (TCP_RST 1, ICMPX_UNREACH 2), ICMP_CODE 2 (NFT_REJECT_ICMPX_PORT_UNREACH 1)
      writer.u32be(1, expression.by === 'tcp reset' ? 1 : 2).u8(2, expression.by === 'tcp reset' ? 0 : 1);
      return;
    case 'limit': {
      // RATE 1, UNIT 2, BURST 3, TYPE 4 (PKTS 0, PKT_BYTES 1), FLAGS 5 (NFT_LIMIT_F_INV 1)
      const { rate, seconds, burst, unit, isOver } = expression;
      writer.u64be(1, rate).u64be(2, seconds).u32be(3, burst);
      writer.u32be(4, unit === 'packets' ? 0 : 1).u32be(5, isOver ? 1 : 0);
      return;
    }
    case 'connlimit':
      // COUNT 1, FLAGS 2 (NFT_CONNLIMIT_F_INV 1)
      writer.u32be(1, expression.count).u32be(2, expression.isOver ? 1 : 0);
      return;
    case 'counter':
      // BYTES 1, PACKETS 2
      writer.u64be(1, expression.bytes).u64be(2, expression.packets);
      return;
    case 'notrack':
      // It has no attributes.
      return;
    case 'other':
      throw new RangeError(
        `Cannot write the nftables expression "${expression.name}": it is only known by name`,
      );
  }
}

function natFlagsOf({ isRandom, portMin }: { isRandom?: boolean; portMin?: number }): number {
  return (isRandom ? natFlags.random : 0) | (portMin === undefined ? 0 : natFlags.ports);
}

/** NFTA_DATA_VALUE 1 */
function writeValue(writer: MessageWriter, type: number, value: Uint8Array): void {
  writer.beginNested(type).bytes(1, value).endNested();
}

/** NFTA_DATA_VERDICT 2 { CODE 1, CHAIN 2 } */
function writeVerdict(writer: MessageWriter, type: number, verdict: Verdict): void {
  writer.beginNested(type).beginNested(2);
  writer.u32be(1, verdicts[verdict.code] >>> 0);
  if ('chain' in verdict) writer.string(2, verdict.chain);
  writer.endNested().endNested();
}

/** KEY 1, DATA 2, FLAGS 3 */
export function writeElement(writer: MessageWriter, { key, isEnd, verdict }: Element): void {
  writer.beginNested(listElement);
  if (isEnd) writer.u32be(3, elementIntervalEnd);
  writeValue(writer, 1, key);
  if (verdict) writeVerdict(writer, 2, verdict);
  writer.endNested();
}
