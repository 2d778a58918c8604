import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  matches,
  parseSelector,
  printSelector,
  requiredLabels,
  type Selector,
  SelectorSyntaxError,
  selectorId,
} from './index.ts';

const label: fc.Arbitrary<string> = fc.constantFrom(
  'a',
  'b',
  'in',
  'not',
  'has',
  'all',
  'contains',
  'a.b/c-d_e',
);
const value: fc.Arbitrary<string> = fc.constantFrom('', 'x', 'y', 'xy', 'a b', "it's", 'say "hi"');
// deepEqual tells objects without a prototype from those with one.
const record: typeof fc.record = (model: object) =>
  fc.record(model as never, { noNullPrototype: true }) as never;
const leaf: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant<Selector>({ kind: 'all' }),
  fc.constant<Selector>({ kind: 'global' }),
  label.map((name): Selector => ({ kind: 'has', label: name })),
  record({ kind: fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'), label, value }),
  record({
    kind: fc.constantFrom('in', 'not in'),
    label,
    values: fc.uniqueArray(value, { maxLength: 3 }).map((values) => values.sort()),
  }),
);
const anySelector: fc.Arbitrary<Selector> = fc.letrec<{ tree: Selector }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('tree').map((operand): Selector => (operand.kind === 'not' ? operand : { kind: 'not', operand })),
    record({
      kind: fc.constantFrom('and', 'or'),
      operands: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }),
    }),
  ),
})).tree;
const anyLabels = fc.array(fc.tuple(label, value), { maxLength: 4 }).map((pairs) => new Map(pairs));

test('a selector survives being printed and parsed', () => {
  fc.assert(
    fc.property(anySelector, (selector) =>
      assert.deepEqual(parseSelector(printSelector(selector)), selector),
    ),
  );
});

test('labels that match a selector have every label that it requires', () => {
  fc.assert(
    fc.property(anySelector, anyLabels, (selector, labels) => {
      if (!matches(selector, labels)) return;
      for (const required of requiredLabels(selector)) {
        const actual = labels.get(required.label);
        assert.ok(actual !== undefined && (required.values?.includes(actual) ?? true));
      }
    }),
  );
});

for (const [text, canonical] of [
  ['', 'all()'],
  ['  \t ', 'all()'],
  ['all()', 'all()'],
  ["a=='b'", 'a == "b"'],
  [`a == 'say "hi"'`, `a == 'say "hi"'`],
  ["a != 'b'&&c=='d'||has(e)", '((a != "b" && c == "d") || has(e))'],
  ["a in {'y','x','y',}", 'a in {"x", "y"}'],
  ['a in {}', 'a in {}'],
  ["a not in {'x'}", 'a not in {"x"}'],
  ["a notin{'x'}", 'a not in {"x"}'],
  ["a startswith 'x'", 'a starts with "x"'],
  ["a ends\twith 'x'", 'a ends with "x"'],
  ["a contains 'x'", 'a contains "x"'],
  ["in in {'x'}", 'in in {"x"}'],
  ["not not in {'x'}", 'not not in {"x"}'],
  ["has == 'x'", 'has == "x"'],
  ["all != 'x'", 'all != "x"'],
  ['! ! has(a)', 'has(a)'],
  ['!!!has( a )', '!has(a)'],
  ['! (a == "b" || has(c))', '!(a == "b" || has(c))'],
  ['(((has(a))))', 'has(a)'],
  ['global()', 'global()'],
] as const) {
  test(`${JSON.stringify(text)} is canonically ${canonical}`, () =>
    assert.equal(printSelector(parseSelector(text)), canonical));
}

for (const [text, fault] of [
  ['a', /expected an operator, not the end at character 2/],
  ['a ==', /expected a string, not the end/],
  ["a == 'b", /a string is not closed at character 6/],
  ["a == 'b' c == 'd'", /expected the end, "&&" or "\|\|", not label "c" at character 10/],
  ["a == 'b'\n&& has(c)", /unexpected "\\n" at character 9/],
  ['has (a)', /expected an operator, not "\("/],
  ['has(a', /expected an operator/],
  ['()', /expected a label/],
  ["a in {'b'", /expected a }, not the end/],
  ['a in {,}', /expected a }/],
  ['&& has(a)', /expected a label/],
  ['has(a) &&', /not the end/],
  [`has(${'x'.repeat(513)})`, /longer than 512 characters/],
  ['a = "b"', /unexpected "="/],
] as const) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused with a reason`, () => {
    assert.throws(
      () => parseSelector(text),
      (error) => error instanceof SelectorSyntaxError && fault.test(error.message),
    );
  });
}

test('an absent label satisfies "!=" and "not in" only', () => {
  const labels = new Map([['a', 'x']]);
  const answers = [
    "b != 'x'",
    "b not in {'x'}",
    "b == 'x'",
    "b in {'x'}",
    'has(b)',
    "b contains ''",
    "b starts with ''",
  ];
  assert.deepEqual(
    answers.map((text) => matches(parseSelector(text), labels)),
    [true, true, false, false, false, false, false],
  );
});

test('the identifier of a selector is the hash of its canonical form', () => {
  const expected = createHash('sha224').update('s:a == "b"').digest('base64url');
  assert.equal(selectorId(parseSelector("a=='b'")), `s:${expected}`);
});
