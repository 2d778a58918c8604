// Writes expressions, verdicts and set elements as nf_tables attributes. Integers travel in network order; what stands in
// registers (addresses, ports, marks) travels as bytes, already in the order that the register has.
//
//   LIST_ELEM 1 { EXPR_NAME 1, EXPR_DATA 2 { the expression's own attributes } }
import type { MessageWriter } from '../netlink/index.ts';
import {
  comparisons,
  connectionKeys,
  elementIntervalEnd,
  metaKeys,
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
    case 'counter':
      // BYTES 1, PACKETS 2
      writer.u64be(1, expression.bytes).u64be(2, expression.packets);
      return;
    case 'other':
      throw new RangeError(
        `Cannot write the nftables expression "${expression.name}": it is only known by name`,
      );
  }
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
