// The two readings of selectors, which share nothing, beside each other: of texts that are selectors, and of those that nearly are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches, parseSelector, SelectorSyntaxError } from '../../selector/index.ts';
import { selectsByText } from './selector-text.ts';

const piece = fc.constantFrom(
  ...['a', 'b', 'in', 'not', 'notin', 'has', 'all', 'global', 'contains', 'starts', 'with', 'a.b/c-d_e'],
  ...['has(a)', 'has( b )', 'has()', 'all()', 'all( )', 'global()', 'global(\t)'],
  ...['==', '!=', '=', '!', '&&', '||', '&', '(', ')', '{', '}', ','],
  ...["'x'", '"x"', '"it\'s"', "''", '"', "'", "')'", '"&&"', "'},'"],
  ...['a == "x"', "b in {'x', 'y',}", 'a not in {}', "a startswith 'x'", 'has(a) && has(b)'],
  ...[' ', '\t', '\n', ''],
);
const texts = fc
  .tuple(fc.array(piece, { maxLength: 8 }), fc.constantFrom('', ' '))
  .map(([pieces, between]) => pieces.join(between));
const labels = fc.dictionary(
  fc.constantFrom('a', 'b', 'in', 'not', 'a.b/c-d_e'),
  fc.constantFrom('x', 'y', ''),
);

test('a text is a selector for both readings or for neither, and selects the same for both', () => {
  let selectors = 0;
  fc.assert(
    fc.property(texts, labels, (text, own) => {
      const wanted = byParser(text, own);
      if (wanted === undefined) return assert.throws(() => selectsByText(text, own), RangeError);
      selectors++;
      assert.equal(selectsByText(text, own), wanted);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(selectors > 1000, `${selectors} selectors`);
});

/** Undefined for what is no selector. */
function byParser(text: string, own: Record<string, string>): boolean | undefined {
  try {
    return matches(parseSelector(text), new Map(Object.entries(own)));
  } catch (error) {
    if (error instanceof SelectorSyntaxError) return undefined;
    throw error;
  }
}
