import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Changes } from './condition.ts';

const patient = { deadlineMs: 5_000, signal: new AbortController().signal };

test('waiting ends with the change that makes the condition true, not with an earlier one', async () => {
  const changes = new Changes();
  let value = 0;
  const seen: number[] = [];
  const waited = changes
    .until(
      () => value === 2,
      patient,
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
    patient,
    () => 'not reached',
  );
});

test('at the deadline the wait fails with what is lacking then', async () => {
  await assert.rejects(
    new Changes().until(
      () => false,
      { ...patient, deadlineMs: 1 },
      () => 'Not ready after 1 ms: node-2',
    ),
    /^Error: Not ready after 1 ms: node-2$/,
  );
});

test('an aborted wait fails with the reason of the signal', async () => {
  const controller = new AbortController();
  const waited = new Changes().until(
    () => false,
    { ...patient, signal: controller.signal },
    () => 'late',
  );
  controller.abort(new Error('Interrupted by SIGINT'));
  await assert.rejects(waited, /^Error: Interrupted by SIGINT$/);
});
