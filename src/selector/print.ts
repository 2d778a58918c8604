// Writes a selector in its canonical form, and the identifier that stands for it in the names of kernel sets.
import { sha224 } from '@noble/hashes/sha2.js';
import type { Selector } from './selector.ts';

/** Equal selectors have equal canonical forms; parsing it gives the selector back. */
export function printSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return `${selector.kind}()`;
    case 'has':
      return `has(${selector.label})`;
    case 'in':
    case 'not in':
      return `${selector.label} ${selector.kind} {${selector.values.map(quote).join(', ')}}`;
    case 'not':
      return `!${printSelector(selector.operand)}`;
    case 'and':
      return `(${selector.operands.map(printSelector).join(' && ')})`;
    case 'or':
      return `(${selector.operands.map(printSelector).join(' || ')})`;
    default:
      return `${selector.label} ${selector.kind} ${quote(selector.value)}`;
  }
}

/** There are no escapes: a value with a double quote stands in single ones. */
function quote(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

/** "s:" and the unpadded base64url of the SHA-224 of "s:" and the canonical form: 40 characters. */
export function selectorId(selector: Selector): string {
  const digest = sha224(new TextEncoder().encode(`s:${printSelector(selector)}`));
  return `s:${base64url(digest)}`;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
