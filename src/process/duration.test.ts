import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs } from './duration.ts';

test('a duration is a sum of parts with units, or a number of seconds', () => {
  assert.deepEqual(
    ['1m30s', '250ms', '90', '0s', '0', '1.5h'].map((text) => durationMs('x', text)),
    [90_000, 250, 90_000, 0, 0, 5_400_000],
  );
});

test('what is no duration is refused by name', () => {
  for (const text of ['', 'soon', '5 s', '3d', '-1s']) {
    assert.throws(() => durationMs('routeRefreshInterval', text), /routeRefreshInterval is ".*"; it must be/);
  }
});
