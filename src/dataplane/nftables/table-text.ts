// What makes two objects of a table the same, as text: for comparing what the kernel holds with what it should. Counters,
// handles and the order of elements do not matter.
import type { Chain, Element, Expression, NftSet, Rule } from '../../kernel/index.ts';

export function textOfChain({ name, hook }: Chain): string {
  return hook ? `${name} ${hook.type} ${hook.hook} ${hook.priority} ${hook.policy}` : name;
}

export function textOfSet({ name, key, interval, verdicts, size }: NftSet): string {
  return `${name} ${key.join('.')}${interval ? ' interval' : ''}${verdicts ? ' verdicts' : ''} ${size ?? ''}`;
}

export function textOfRule({ expressions, comment }: Rule): string {
  return `${expressions.map(textOfExpression).join(';')} ${comment === undefined ? '' : storedComment(comment)}`;
}

/** What is in a set or not: a key, or in an interval set a range, whose end is an element of its own. */
export interface Unit {
  readonly text: string;
  readonly elements: readonly Element[];
}

/** `elements` in any order, but where they are ranges each with its end behind it. */
export function unitsOf(elements: readonly Element[]): Unit[] {
  const units: { text: string; elements: Element[] }[] = [];
  for (const element of elements) {
    const last = units.at(-1);
    if (element.isEnd && last?.elements.length === 1) {
      last.text += ` ${textOfElement(element)}`;
      last.elements.push(element);
    } else units.push({ text: textOfElement(element), elements: [element] });
  }
  return units;
}

/** The order in which `unitsOf` finds the ends of ranges; the kernel lists elements in any. */
export function inOrder(elements: readonly Element[]): Element[] {
  const keyed = elements.map((element) => ({ element, key: hex(element.key) }));
  // Where one range ends and the next begins, the end comes first.
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.element.isEnd ? -1 : 1));
  return keyed.map(({ element }) => element);
}

function textOfElement({ key, isEnd, verdict }: Element): string {
  return `${hex(key)}${isEnd ? ' end' : ''}${verdict ? ` ${JSON.stringify(verdict)}` : ''}`;
}

/** A comment may have been cut, within a letter even, when it was stored. */
function storedComment(comment: string): string {
  return Buffer.from(comment).subarray(0, 127).toString();
}

function textOfExpression(expression: Expression): string {
  if (expression.kind === 'counter') return 'counter';
  const fields = Object.entries(expression)
    .filter(([, value]) => value !== undefined && value !== false)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(fields), (key, value) => {
    if (value instanceof Uint8Array) return hex(value);
    if (typeof value === 'number' && registerFields.has(key)) return narrowRegister(value);
    return typeof value === 'bigint' ? String(value) : value;
  });
}

const registerFields = new Set(['to', 'from', 'register']);

/** The kernel tells a register by its wide name wherever it has one: 1 to 4 are the 32-bit registers 8, 12, 16 and 20. */
function narrowRegister(register: number): number {
  return register >= 1 && register <= 4 ? 4 + register * 4 : register;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
