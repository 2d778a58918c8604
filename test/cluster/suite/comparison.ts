// What clients can see of the embedded API server is what the real kube-apiserver shows them: each case is asked of both, and every
// answer must be the same, but for what comparison/differences.ts lists.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { asked } from '../comparison/case.ts';
import { cases } from '../comparison/cases/index.ts';
import { differenceOf, differences } from '../comparison/differences.ts';
import { ask } from '../comparison/side.ts';
import { type Sides, startSides } from '../comparison/sides.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-comparison-'));
let sides: Sides;

before(async () => {
  sides = await startSides(folder);
});
after(async () => {
  await sides?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, steps } of cases) {
  test(name, async () => {
    const differing = { real: '', embedded: '' };
    const agreed: string[] = [];
    for (const step of steps) {
      const question = asked(step);
      const [real, embedded] = await Promise.all([ask(sides.real, step), ask(sides.embedded, step)]);
      const difference = differenceOf(name, step);
      if (difference && embedded === real && !difference.mayAgree) agreed.push(question);
      if (difference || embedded === real) continue;
      differing.real += `${question}\n${real}\n`;
      differing.embedded += `${question}\n${embedded}\n`;
    }
    assert.equal(differing.embedded, differing.real);
    assert.deepEqual(agreed, [], 'both servers agree on what they are said to differ in');
  });
}

test('the cases have names of their own, and every difference that is left is one of theirs', () => {
  const names = cases.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const [name, parts] of differences.flatMap(({ steps }) => Object.entries(steps))) {
    const questions = cases.find((one) => one.name === name)?.steps.map(asked) ?? [];
    for (const part of parts)
      assert.ok(
        questions.some((question) => question.includes(part)),
        `${name}: ${part}`,
      );
  }
});
