// Cuts the text of a selector into tokens. Only space and TAB separate; a newline is an error, as upstream has it.
// Word operators are words only right after a label: `in in {"a"}` asks for the label named "in".

export type Token =
  | { readonly kind: 'label' | 'string' | 'has'; readonly text: string; readonly at: number }
  | { readonly kind: Symbol; readonly at: number };

type Symbol =
  | '=='
  | '!='
  | 'in'
  | 'not in'
  | 'contains'
  | 'starts with'
  | 'ends with'
  | 'all()'
  | 'global()'
  | '!'
  | '&&'
  | '||'
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | 'end';

/** The text is not a selector. `at` counts characters from 0; `fault` is the message without the text. */
export class SelectorSyntaxError extends Error {
  override readonly name = 'SelectorSyntaxError';
  readonly at: number;
  readonly fault: string;

  constructor(text: string, at: number, fault: string) {
    super(`Cannot read selector "${text}": ${fault} at character ${at + 1}`);
    this.at = at;
    this.fault = `${fault} at character ${at + 1}`;
  }
}

const maxLabelLength = 512;

const wordOperators: readonly (readonly [RegExp, Symbol])[] = [
  [/contains/y, 'contains'],
  [/starts[ \t]*with/y, 'starts with'],
  [/ends[ \t]*with/y, 'ends with'],
  [/not[ \t]*in(?![A-Za-z0-9_./-])/y, 'not in'],
  [/in(?![A-Za-z0-9_./-])/y, 'in'],
];

const symbols: readonly (readonly [string, Symbol])[] = (
  ['==', '!=', '&&', '||', '!', '(', ')', '{', '}', ','] as const
).map((symbol) => [symbol, symbol]);

const spaces = /[ \t]*/y;
const call = /(all|global)\([ \t]*\)/y;
const hasCall = /has\([ \t]*([A-Za-z0-9_./-]+)[ \t]*\)/y;
const word = /[A-Za-z0-9_./-]+/y;
const quoted = /"([^"]*)"|'([^']*)'/y;

/** The last token is always "end". @throws SelectorSyntaxError */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  };
  for (;;) {
    take(spaces);
    const start = at;
    if (at === text.length) return [...tokens, { kind: 'end', at }];
    const next = tokens.at(-1)?.kind === 'label' ? takeWordOperator() : takeOperand();
    tokens.push(next ?? takeSymbol());

    function takeWordOperator(): Token | undefined {
      const found = wordOperators.find(([pattern]) => take(pattern));
      return found && { kind: found[1], at: start };
    }

    function takeOperand(): Token | undefined {
      const string = take(quoted);
      if (string) return { kind: 'string', text: string[1] ?? string[2] ?? '', at: start };
      const everything = take(call);
      if (everything) return { kind: everything[1] === 'all' ? 'all()' : 'global()', at: start };
      const has = take(hasCall);
      const label = has?.[1] ?? take(word)?.[0];
      if (label === undefined) return undefined;
      if (label.length > maxLabelLength) {
        throw new SelectorSyntaxError(text, start, `a label is longer than ${maxLabelLength} characters`);
      }
      return { kind: has ? 'has' : 'label', text: label, at: start };
    }

    function takeSymbol(): Token {
      const found = symbols.find(([symbol]) => text.startsWith(symbol, at));
      if (!found) throw new SelectorSyntaxError(text, start, describe(text, start));
      at += found[0].length;
      return { kind: found[1], at: start };
    }
  }
}

function describe(text: string, at: number): string {
  const character = text[at] ?? '';
  if (character === '"' || character === "'") return 'a string is not closed';
  return `unexpected ${JSON.stringify(character)}`;
}
