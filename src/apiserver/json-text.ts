// What JSON.parse does not tell of a text: which fields are there twice, and what of it is no JSON, in the words of Kubernetes'
// decoder, which is Go's.
import { quotedInGo } from './go-words.ts';
import { isObject, type Json } from './json.ts';

/**
 * The paths of the fields that are there twice in the text of a value ("spec.rules[0].order"), each once. The text is looked through
 * only when it may have more fields than the value.
 */
export function repeatedFields(text: string, value: Json): string[] {
  return marksOfFields(text) === countFields(value) ? [] : new Scanner(text).scan();
}

/** What of a text is no JSON: "invalid character 'x' after top-level value"; undefined when all of it is. */
export function jsonFault(text: Buffer): string | undefined {
  try {
    // Go counts in bytes, and shows one as if it were a character.
    new Scanner(text.toString('latin1')).scan();
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function countFields(value: Json | undefined): number {
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += countFields(item);
  else if (isObject(value)) for (const field of Object.keys(value)) count += 1 + countFields(value[field]);
  return count;
}

const whitespace = new Set([' ', '\t', '\n', '\r']);
const quote = 0x22;
const backslash = 0x5c;

/** As many as there are fields, or more where a string holds what looks like the end of one. */
function marksOfFields(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let end = at - 1;
    while (text.charCodeAt(end) <= 0x20) end -= 1;
    if (text.charCodeAt(end) === quote && !isEscaped(text, end)) count += 1;
  }
  return count;
}

/** A quote after an odd number of backslashes ends no string. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text.charCodeAt(start - 1) === backslash) start -= 1;
  return (at - start) % 2 === 1;
}

const literals = ['true', 'false', 'null'];

class Scanner {
  readonly #text: string;
  readonly #repeated = new Set<string>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @throws SyntaxError */
  scan(): string[] {
    this.#value('');
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
    return [...this.#repeated];
  }

  #value(path: string): void {
    const first = this.#next();
    if (first === '{') this.#object(path);
    else if (first === '[') this.#list(path);
    else if (first === '"') this.#string();
    else if (first === '-' || isDigit(first)) this.#number();
    else this.#literal(first);
  }

  #object(path: string): void {
    const seen = new Set<string>();
    this.#at += 1;
    if (this.#takes('}')) return;
    do {
      if (this.#next() !== '"') throw this.#unexpected('looking for beginning of object key string');
      const field = this.#string();
      const at = path === '' ? field : `${path}.${field}`;
      if (seen.has(field)) this.#repeated.add(at);
      seen.add(field);
      if (!this.#takes(':')) throw this.#unexpected('after object key');
      this.#value(at);
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#unexpected('after object key:value pair');
  }

  #list(path: string): void {
    this.#at += 1;
    if (this.#takes(']')) return;
    let index = 0;
    do this.#value(`${path}[${index++}]`);
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#unexpected('after array element');
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    for (; this.#text[this.#at] !== '"'; this.#at++) {
      const character = this.#text[this.#at];
      if (character === undefined) throw ended();
      if (character < ' ') throw this.#unexpected('in string literal');
      if (character === '\\') this.#escape();
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #escape(): void {
    this.#at += 1;
    if (!'"\\/bfnrtu'.includes(this.#orSpace())) throw this.#unexpected('in string escape code');
    if (this.#text[this.#at] !== 'u') return;
    for (let digit = 0; digit < 4; digit++) {
      this.#at += 1;
      if (!/[0-9a-f]/i.test(this.#orSpace())) {
        throw this.#unexpected('in \\u hexadecimal character escape');
      }
    }
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at += 1;
    if (this.#text[this.#at] === '0') this.#at += 1;
    else this.#digits('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      this.#digits('after decimal point in numeric literal');
    }
    if (!/e/i.test(this.#orSpace())) return;
    this.#at += 1;
    if ('+-'.includes(this.#orSpace())) this.#at += 1;
    this.#digits('in exponent of numeric literal');
  }

  #digits(where: string): void {
    if (!isDigit(this.#orSpace())) throw this.#unexpected(where);
    while (isDigit(this.#orSpace())) this.#at += 1;
  }

  #literal(first: string): void {
    const literal = literals.find((one) => one.startsWith(first));
    if (literal === undefined) throw this.#unexpected('looking for beginning of value');
    for (const expected of literal) {
      if (this.#orSpace() !== expected) {
        throw this.#unexpected(`in literal ${literal} (expecting '${expected}')`);
      }
      this.#at += 1;
    }
  }

  #takes(character: string): boolean {
    const isNext = this.#next() === character;
    if (isNext) this.#at += 1;
    return isNext;
  }

  /** What comes after whitespace. */
  #next(): string {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === undefined) throw ended();
    return character;
  }

  #skipSpace(): void {
    while (whitespace.has(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  /** Go reads a space where a text ends. */
  #orSpace(): string {
    return this.#text[this.#at] ?? ' ';
  }

  #unexpected(where: string): SyntaxError {
    const character = this.#orSpace();
    const shown = character === "'" ? "\\'" : character === '"' ? '"' : quotedInGo(character).slice(1, -1);
    return new SyntaxError(`invalid character '${shown}' ${where}`);
  }
}

function ended(): SyntaxError {
  return new SyntaxError('unexpected end of JSON input');
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}
