// Reads a selector: `||` binds weaker than `&&`, which binds weaker than `!`.
import { all, type Comparison, not, type Selector } from './selector.ts';
import { SelectorSyntaxError, type Token, tokenize } from './tokenize.ts';

/** The empty text means `all()`. @throws SelectorSyntaxError that says where the text stops making sense. */
export function parseSelector(text: string): Selector {
  const tokens = tokenize(text);
  if (tokens.length === 1) return all;
  const reader = new TokenReader(text, tokens);
  const selector = readOr(reader);
  reader.expect('end');
  return selector;
}

class TokenReader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  peek(): Token['kind'] {
    return this.#tokens[this.#next]?.kind ?? 'end';
  }

  take(): Token {
    return this.#tokens[this.#next++] ?? { kind: 'end', at: this.#text.length };
  }

  takeIf(kind: Token['kind']): boolean {
    if (this.peek() !== kind) return false;
    this.#next++;
    return true;
  }

  expect(kind: Token['kind']): Token {
    const token = this.take();
    if (token.kind !== kind) throw this.fault(token, kind === 'end' ? 'the end, "&&" or "||"' : `a ${kind}`);
    return token;
  }

  fault(token: Token, wanted: string): SelectorSyntaxError {
    return new SelectorSyntaxError(this.#text, token.at, `expected ${wanted}, not ${nameOf(token)}`);
  }
}

function nameOf(token: Token): string {
  if (token.kind === 'end') return 'the end';
  return 'text' in token ? `${token.kind} "${token.text}"` : `"${token.kind}"`;
}

function readOr(reader: TokenReader): Selector {
  const operands = [readAnd(reader)];
  while (reader.takeIf('||')) operands.push(readAnd(reader));
  return joined('or', operands);
}

function readAnd(reader: TokenReader): Selector {
  const operands = [readOperation(reader)];
  while (reader.takeIf('&&')) operands.push(readOperation(reader));
  return joined('and', operands);
}

function joined(kind: 'and' | 'or', operands: readonly Selector[]): Selector {
  const [first] = operands;
  return first && operands.length === 1 ? first : { kind, operands };
}

function readOperation(reader: TokenReader): Selector {
  if (reader.takeIf('!')) return not(readOperation(reader));
  const token = reader.take();
  switch (token.kind) {
    case '(': {
      const selector = readOr(reader);
      reader.expect(')');
      return selector;
    }
    case 'all()':
      return all;
    case 'global()':
      return { kind: 'global' };
    case 'has':
      return { kind: 'has', label: textOf(token) };
    case 'label':
      return readComparison(reader, textOf(token));
    default:
      throw reader.fault(token, 'a label, "has(", "all()", "global()", "!" or "("');
  }
}

function readComparison(reader: TokenReader, label: string): Selector {
  const operator = reader.take();
  switch (operator.kind) {
    case 'in':
    case 'not in':
      return { kind: operator.kind, label, values: readSet(reader) };
    case '==':
    case '!=':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return { kind: operator.kind satisfies Comparison, label, value: textOf(reader.expect('string')) };
    default:
      throw reader.fault(operator, 'an operator');
  }
}

/** Sorted and without duplicates: a set says nothing about order. */
function readSet(reader: TokenReader): string[] {
  reader.expect('{');
  const values = new Set<string>();
  while (reader.peek() === 'string') {
    values.add(textOf(reader.take()));
    if (!reader.takeIf(',')) break;
  }
  reader.expect('}');
  return [...values].sort();
}

function textOf(token: Token): string {
  return 'text' in token ? token.text : '';
}
