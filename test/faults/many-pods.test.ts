// A thousand pods on a node: what `npm run torture -- pods` does, once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../torture/pods.ts';

const seed = Number(process.env.CALICO_SEED ?? 20261127);

test('a node takes a thousand pods, denies all of them, opens them again, loses its agent, and lets all go', {
  timeout: 600_000,
}, async () => {
  assert.ok(await run({ rounds: 1_000, seed, isOver: () => false, leftMs: () => Number.POSITIVE_INFINITY }));
});
