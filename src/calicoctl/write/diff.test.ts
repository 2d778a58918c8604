import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unifiedDiff } from './diff.ts';

test('equal texts have no difference', () => {
  assert.equal(unifiedDiff('a\nb\n', 'a\nb\n', 'x'), '');
});

test('a change is shown with three lines around it and its place in both texts', () => {
  const before = '1\n2\n3\n4\n5\n6\n7\n8\n9\n';
  const after = '1\n2\n3\n4\nfive\n6\n7\n8\n9\n';
  const hunk = '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n';
  assert.equal(unifiedDiff(before, after, 'x'), `--- x (stored)\n+++ x\n${hunk}`);
});

test('what is new is compared with nothing', () => {
  assert.equal(unifiedDiff('', 'a\n', 'x'), '--- /dev/null\n+++ x\n@@ -0,0 +1,1 @@\n+a\n');
});

test('the lines of a difference and the lines that it leaves out make both texts again', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff(`${before.join('\n')}\n`, `${after.join('\n')}\n`, 'x');
      assert.deepEqual(applied(before, diff), after);
    }),
  );
});

/** Applies a difference as patch(1) does: by the line numbers of its hunks, checking the lines that it expects. */
function applied(before: readonly string[], diff: string): string[] {
  const result: string[] = [];
  let next = 0;
  for (const line of diff.split('\n').slice(2)) {
    const hunk = /^@@ -(\d+),(\d+) /.exec(line);
    if (hunk) {
      const from = Number(hunk[1]) - (hunk[2] === '0' ? 0 : 1);
      while (next < from) result.push(before[next++] ?? '');
    } else if (line !== '') {
      if (line[0] !== '+') assert.equal(before[next++], line.slice(1));
      if (line[0] !== '-') result.push(line.slice(1));
    }
  }
  return [...result, ...before.slice(next)];
}
