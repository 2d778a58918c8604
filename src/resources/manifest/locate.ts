// Finds where a field stands in a parsed YAML document, by the path that a fault names.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { Steps } from '../validate.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * The scalar at the end of the steps, or the key of the list or object there; what is missing is found at the innermost
 * thing that should hold it.
 */
export function locate(document: Document, top: Node, steps: Steps, lines: LineCounter): Position {
  let node: Node | undefined = top;
  let position = top;
  for (const step of steps) {
    if (isAlias(node)) node = node.resolve(document);
    const member = memberOf(node, step);
    if (!member) break;
    node = member.value;
    position = isScalar(member.value) && !member.isMissing ? member.value : member.key;
  }
  const { line, col } = lines.linePos(position.range?.[0] ?? 0);
  return { line, column: col };
}

interface Member {
  /** Where it is named: the key, or the item itself. */
  readonly key: Node;
  readonly value: Node | undefined;
  /** "key:" with nothing behind it. */
  readonly isMissing: boolean;
}

function memberOf(node: Node | undefined, step: string | number): Member | undefined {
  if (isSeq(node)) {
    const item = typeof step === 'number' ? node.items[step] : undefined;
    return isNode(item) ? { key: item, value: item, isMissing: false } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
  if (!pair || !isNode(pair.key)) return undefined;
  const value = isNode(pair.value) ? pair.value : undefined;
  return {
    key: pair.key,
    value,
    isMissing: isScalar(value) && value.source === '' && !value.type?.startsWith('QUOTE'),
  };
}
