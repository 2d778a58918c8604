// Selectors as people write them, each with what it means said by itself: bringing one into its canonical form never changes that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches, parseSelector, printSelector } from './index.ts';

type Labels = ReadonlyMap<string, string>;

interface Written {
  readonly text: string;
  readonly holds: (labels: Labels) => boolean;
}

const label = fc.constantFrom('a', 'b', 'in', 'not', 'has', 'all', 'a.b/c-d_e');
const value = fc.constantFrom('', 'x', 'y', 'xy', 'a b', "it's", 'say "hi"');
const anyLabels = fc.array(fc.tuple(label, value), { maxLength: 5 }).map((pairs) => new Map(pairs));
const gap = fc.constantFrom('', ' ', '\t', '  ');
const space = fc.constantFrom(' ', '\t', ' \t ');
const quoted = fc
  .tuple(value, fc.boolean())
  .map(([text, prefersSingle]) =>
    text.includes('"') || (prefersSingle && !text.includes("'")) ? `'${text}'` : `"${text}"`,
  );
const contentOf = (text: string) => text.slice(1, -1);

const equality = fc.tuple(label, gap, fc.constantFrom('==', '!='), gap, quoted).map(
  ([name, before, operator, after, text]): Written => ({
    text: `${name}${before}${operator}${after}${text}`,
    holds: (labels) => (labels.get(name) === contentOf(text)) === (operator === '=='),
  }),
);

const parts: Readonly<Record<string, 'includes' | 'startsWith' | 'endsWith'>> = {
  contains: 'includes',
  'starts with': 'startsWith',
  startswith: 'startsWith',
  'ends with': 'endsWith',
  'ends\twith': 'endsWith',
  endswith: 'endsWith',
};
const comparison = fc.tuple(label, space, fc.constantFrom(...Object.keys(parts)), gap, quoted).map(
  ([name, before, operator, after, text]): Written => ({
    text: `${name}${before}${operator}${after}${text}`,
    holds: (labels) => labels.get(name)?.[parts[operator] ?? 'includes'](contentOf(text)) ?? false,
  }),
);

/** Values in any order and more than once, perhaps with a comma after the last. */
const membership = fc
  .tuple(
    label,
    space,
    fc.constantFrom('in', 'not in', 'notin'),
    gap,
    fc.array(quoted, { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([name, before, operator, after, values, endsInComma]): Written => {
    const comma = endsInComma && values.length > 0 ? ',' : '';
    return {
      text: `${name}${before}${operator}${after}{${values.join(`${after},`)}${comma}}`,
      holds: (labels) => {
        const actual = labels.get(name);
        return values.some((one) => contentOf(one) === actual) === (operator === 'in');
      },
    };
  });

const presence = fc.tuple(label, gap).map(
  ([name, around]): Written => ({
    text: `has(${around}${name}${around})`,
    holds: (labels) => labels.has(name),
  }),
);

const everything = fc.constant<Written>({ text: 'all()', holds: () => true });

/** By how tightly each binds: `&&` takes what is whole by itself, and `||` takes conjunctions, without parentheses. */
const written = fc.letrec<{ whole: Written; conjunction: Written; disjunction: Written }>((tie) => ({
  whole: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(equality, comparison, membership, presence, everything),
    fc
      .tuple(gap, tie('whole'))
      .map(
        ([after, one]): Written => ({ text: `!${after}${one.text}`, holds: (labels) => !one.holds(labels) }),
      ),
    fc
      .tuple(gap, tie('disjunction'))
      .map(([around, one]): Written => ({ text: `(${around}${one.text}${around})`, holds: one.holds })),
  ),
  conjunction: fc.tuple(gap, fc.array(tie('whole'), { minLength: 1, maxLength: 3 })).map(
    ([around, all]): Written => ({
      text: all.map(({ text }) => text).join(`${around}&&${around}`),
      holds: (labels) => all.every((one) => one.holds(labels)),
    }),
  ),
  disjunction: fc.tuple(gap, fc.array(tie('conjunction'), { minLength: 1, maxLength: 3 })).map(
    ([around, all]): Written => ({
      text: all.map(({ text }) => text).join(`${around}||${around}`),
      holds: (labels) => all.some((one) => one.holds(labels)),
    }),
  ),
})).disjunction;

test('a selector matches what it says, however it is written', () => {
  fc.assert(
    fc.property(written, anyLabels, ({ text, holds }, labels) =>
      assert.equal(matches(parseSelector(text), labels), holds(labels)),
    ),
    { numRuns: 300 },
  );
});

test('the canonical form matches what the selector matches, and is its own canonical form', () => {
  fc.assert(
    fc.property(written, anyLabels, ({ text, holds }, labels) => {
      const canonical = printSelector(parseSelector(text));
      assert.equal(matches(parseSelector(canonical), labels), holds(labels));
      assert.equal(printSelector(parseSelector(canonical)), canonical);
    }),
    { numRuns: 300 },
  );
});
