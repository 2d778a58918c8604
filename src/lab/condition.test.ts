import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Changes } from './condition.ts';

test('waiting ends with the change that makes the condition true, not with an earlier one', async () => {
  const changes = new Changes();
  let value = 0;
  const seen: number[] = [];
  const waited = changes
    .until(
      () => value === 2,
      5_000,
      () => 'never two',
    )
    .then(() => seen.push(value));
  for (value = 1; value <= 2; value++) changes.notify();
  await waited;
  assert.deepEqual(seen.length, 1);
});

test('what is true already is not waited for', async () => {
  await new Changes().until(
    () => true,
    0,
    () => 'not reached',
  );
});

test('at the deadline the wait fails with what is lacking then', async () => {
  await assert.rejects(
    new Changes().until(
      () => false,
      1,
      () => 'Not ready after 1 ms: node-2',
    ),
    /^Error: Not ready after 1 ms: node-2$/,
  );
});
