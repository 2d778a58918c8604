// Label selectors as they stand in a URL: "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5".
// Source: the grammar in Kubernetes' k8s.io/apimachinery/pkg/labels; what is wrong with a text is said in the same words.
import { fieldOf, type KubeObject } from '../json.ts';
import { badRequest } from '../status-error.ts';
import { keyFaults, labelValueFaults } from './names.ts';

type Labels = { readonly [key: string]: string };
type Requirement = (labels: Labels) => boolean;

/** Returns a test for objects; one that lets everything pass for an empty text. @throws StatusError 400 */
export function parseLabelSelector(text: string): (object: KubeObject) => boolean {
  const requirements = parseRequirements(new Tokens(text));
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

const operators = ['in', 'notin', '=', '==', '!=', '>', '<'];
const token = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y;

/** A text word by word. At its end stands an empty one. */
class Tokens {
  readonly #words: string[] = [];
  #at = 0;

  constructor(text: string) {
    token.lastIndex = 0;
    for (let match = token.exec(text); match; match = token.exec(text)) this.#words.push(match[1] ?? '');
  }

  get next(): string {
    return this.#words[this.#at] ?? '';
  }

  take(): string {
    const word = this.next;
    this.#at += 1;
    return word;
  }
}

const isIdentifier = (word: string) => /^[^\s=!(),<>]+$/.test(word);

function parseRequirements(tokens: Tokens): Requirement[] {
  const requirements: Requirement[] = [];
  while (tokens.next !== '') {
    if (!isIdentifier(tokens.next) && tokens.next !== '!') {
      throw badRequest(`found '${tokens.next}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(tokens));
    const end = tokens.take();
    if (end === '') break;
    if (end !== ',') throw badRequest(`found '${end}', expected: ',' or 'end of string'`);
    if (!isIdentifier(tokens.next) && tokens.next !== '!') {
      throw badRequest(`found '${tokens.next}', expected: identifier after ','`);
    }
  }
  return requirements;
}

function parseRequirement(tokens: Tokens): Requirement {
  const isAbsent = tokens.next === '!';
  if (isAbsent) tokens.take();
  const key = takeIdentifier(tokens);
  const faults = keyFaults(key);
  if (faults.length > 0)
    throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${faults.join('; ')}`);
  const isAlone = tokens.next === '' || tokens.next === ',';
  if (isAbsent) return (labels) => fieldOf(labels, key) === undefined;
  if (isAlone) return (labels) => fieldOf(labels, key) !== undefined;
  const operator = tokens.take();
  if (!operators.includes(operator)) {
    throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  const values = operator.endsWith('in') ? takeValues(tokens) : [takeValue(tokens)];
  assertValues(key, operator, values);
  return requirement(key, operator, values);
}

function takeIdentifier(tokens: Tokens): string {
  const word = tokens.take();
  if (!isIdentifier(word)) throw unreadable(`found '${word}', expected: identifier`);
  return word;
}

/** Nothing at all is the empty value. */
function takeValue(tokens: Tokens): string {
  return tokens.next === '' || tokens.next === ',' ? '' : takeIdentifier(tokens);
}

/** "(a, b)"; what is left out between commas and parentheses is the empty value. */
function takeValues(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open !== '(') throw unreadable(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const hasValue = isIdentifier(tokens.next);
    values.push(hasValue ? tokens.take() : '');
    const end = tokens.take();
    if (end === ')') return values;
    if (end === ',') continue;
    const expected = hasValue
      ? "',' or ')'"
      : values.length > 1
        ? "',', or identifier"
        : "',', ')' or identifier";
    throw unreadable(`found '${end}', expected: ${expected}`);
  }
}

function assertValues(key: string, operator: string, values: readonly string[]): void {
  for (const [index, value] of values.entries()) {
    if ((operator === '>' || operator === '<') && !isInteger(value)) {
      const why = "for 'Gt', 'Lt' operators, the value must be an integer";
      throw unreadable(`values[${index}]: Invalid value: ${JSON.stringify(value)}: ${why}`);
    }
    const faults = labelValueFaults(value);
    if (faults.length === 0) continue;
    throw unreadable(
      `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${faults.join('; ')}`,
    );
  }
}

function isInteger(text: string): boolean {
  return /^[-+]?\d+$/.test(text);
}

function requirement(key: string, operator: string, values: readonly string[]): Requirement {
  const [value = ''] = values;
  const isAmong = (labels: Labels) => {
    const found = fieldOf(labels, key);
    return found !== undefined && values.includes(found);
  };
  const compares = (holds: (a: bigint, b: bigint) => boolean) => (labels: Labels) => {
    const found = fieldOf(labels, key);
    return found !== undefined && isInteger(found) && holds(BigInt(found), BigInt(value));
  };
  switch (operator) {
    case '>':
      return compares((a, b) => a > b);
    case '<':
      return compares((a, b) => a < b);
    case '!=':
    case 'notin':
      return (labels) => !isAmong(labels);
    default:
      return isAmong;
  }
}

function unreadable(why: string) {
  return badRequest(`unable to parse requirement: ${why}`);
}
