// Cuts a template into text and actions, and an action into tokens. White space beside "{{-" and "-}}" is taken away here.
import { TemplateError } from './template-error.ts';

export type Token =
  /** ".a.b"; no names for the dot itself. */
  | { readonly type: 'field'; readonly names: readonly string[] }
  /** "$x.a"; `name` without the dollar sign, empty for the data that the template was given. */
  | { readonly type: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly type: 'literal'; readonly value: unknown }
  /** A function or a keyword. */
  | { readonly type: 'word'; readonly word: string }
  | { readonly type: 'sign'; readonly sign: '|' | '(' | ',' | ':=' | '=' }
  /** ")" with the fields that follow it: "(f .x).a". */
  | { readonly type: 'close'; readonly names: readonly string[] };

export type Piece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly tokens: readonly Token[]; readonly line: number };

/** In the order of the template; comments are left out. @throws TemplateError */
export function cut(template: string): Piece[] {
  const pieces: Piece[] = [];
  // An action ends at the first "}}" outside of quotes, a comment at its "*/".
  const action =
    /\{\{(- )?(?:\s*\/\*([\s\S]*?)\*\/\s*|((?:"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|[\s\S])*?))( -)?\}\}/g;
  let end = 0;
  let trimsNext = false;
  const addText = (text: string): void => {
    if (text !== '') pieces.push({ type: 'text', text });
  };
  for (const match of template.matchAll(action)) {
    const [whole, trimsBefore, comment, body = '', trimsAfter] = match;
    let text = template.slice(end, match.index);
    if (trimsNext) text = text.trimStart();
    if (trimsBefore) text = text.trimEnd();
    addText(text);
    const line = template.slice(0, match.index).split('\n').length;
    if (comment === undefined) pieces.push({ type: 'action', tokens: tokenize(body, line), line });
    trimsNext = trimsAfter !== undefined;
    end = match.index + whole.length;
  }
  const rest = template.slice(end);
  if (rest.includes('{{')) {
    const line = template.slice(0, end + rest.indexOf('{{')).split('\n').length;
    throw new TemplateError(`line ${line}: "{{" is not closed`);
  }
  addText(trimsNext ? rest.trimStart() : rest);
  return pieces;
}

const token =
  /\s*(?:(?<close>\))(?<closeNames>(?:\.\w+)*)|(?<sign>:=|[|(,=])|\$(?<variable>\w*)(?<variableNames>(?:\.\w+)*)|(?<field>(?:\.[A-Za-z_]\w*)+|\.(?!\d))|(?<text>"(?:\\.|[^"\\])*")|`(?<raw>[^`]*)`|'(?<char>\\.|[^'\\])'|(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d*\.?\d+(?:[eE][+-]?\d+)?))|(?<word>[A-Za-z_]\w*))/y;

function tokenize(body: string, line: number): Token[] {
  const text = body.trim();
  const tokens: Token[] = [];
  for (token.lastIndex = 0; token.lastIndex < text.length; ) {
    const from = token.lastIndex;
    const groups = token.exec(text)?.groups;
    if (!groups) throw new TemplateError(`line ${line}: cannot read "${text.slice(from).trim()}"`);
    tokens.push(tokenOf(groups));
  }
  return tokens;
}

function tokenOf(groups: Record<string, string | undefined>): Token {
  const { close, sign, variable, field, text, raw, char, number, word = '' } = groups;
  if (close) return { type: 'close', names: namesOf(groups.closeNames) };
  if (sign) return { type: 'sign', sign: sign as '|' };
  if (variable !== undefined) {
    return { type: 'variable', name: variable, names: namesOf(groups.variableNames) };
  }
  if (field) return { type: 'field', names: namesOf(field) };
  // Go's escapes that JSON lacks are rare enough in a template to be spelled as JSON has them.
  if (text)
    return { type: 'literal', value: JSON.parse(text.replaceAll('\t', '\\t').replaceAll('\n', '\\n')) };
  if (raw !== undefined) return { type: 'literal', value: raw };
  if (char)
    return { type: 'literal', value: (JSON.parse(`"${char.replace("\\'", "'")}"`) as string).codePointAt(0) };
  if (number) return { type: 'literal', value: Number(number) };
  if (word === 'true' || word === 'false') return { type: 'literal', value: word === 'true' };
  if (word === 'nil') return { type: 'literal', value: undefined };
  return { type: 'word', word };
}

function namesOf(path = ''): string[] {
  return path.split('.').filter((name) => name !== '');
}
