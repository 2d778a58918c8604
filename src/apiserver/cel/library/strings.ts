// CEL's string extensions and Kubernetes' regular expressions, as far as the CEL library does not bring them along.
// Source: https://pkg.go.dev/github.com/google/cel-go/ext#Strings, https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#Regex
import type { Environment } from '@marcbachmann/cel-js';
import { compilePattern } from '../../schema/pattern.ts';
import { noResult } from '../fault.ts';

/** `matches` by RE2's syntax, as far as JavaScript can follow; respell.ts puts it in the place of the CEL library's own. */
export const matchMethod = 'Matches';

export function registerStrings(environment: Environment): void {
  environment
    .registerFunction('string.charAt(int): string', charAt, { async: false })
    .registerFunction('string.replace(string, string): string', replace, { async: false })
    .registerFunction('string.replace(string, string, int): string', replace, { async: false })
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''), {
      async: false,
    })
    .registerFunction(`string.${matchMethod}(string): bool`, matches, { async: false })
    .registerFunction('string.find(string): string', find, { async: false })
    .registerFunction('string.findAll(string): list<string>', findAll, { async: false })
    .registerFunction('string.findAll(string, int): list<string>', findAll, { async: false });
}

/** The position after the last character gives the empty string. */
function charAt(text: string, position: bigint): string {
  const characters = [...text];
  if (position < 0n || position > characters.length) throw noResult(`index out of range: ${position}`);
  return characters[Number(position)] ?? '';
}

/** A negative count replaces all. */
function replace(text: string, from: string, to: string, count = -1n): string {
  if (count < 0n) return text.replaceAll(from, () => to);
  let rest = count;
  return text.replaceAll(from, () => (rest-- > 0n ? to : from));
}

function matches(text: string, pattern: string): boolean {
  return patternOf(pattern).test(text);
}

function find(text: string, pattern: string): string {
  return findAll(text, pattern, 1n)[0] ?? '';
}

/** A negative limit finds all. */
function findAll(text: string, pattern: string, limit = -1n): string[] {
  const found = [...text.matchAll(globalPattern(pattern))].map(([match]) => match);
  return limit < 0n ? found : found.slice(0, Number(limit));
}

function globalPattern(pattern: string): RegExp {
  const { source, flags } = patternOf(pattern);
  return new RegExp(source, `${flags}g`);
}

function patternOf(pattern: string): RegExp {
  try {
    return compilePattern(pattern);
  } catch (error) {
    if (error instanceof SyntaxError) throw noResult(`error parsing regexp: ${error.message}`);
    throw error;
  }
}
