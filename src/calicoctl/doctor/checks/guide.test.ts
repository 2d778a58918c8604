import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { clusterChecks, localChecks } from './all.ts';
import { clusterReading, nodeReading } from './reading.ts';

test('the guide to troubleshooting names every check, and none that there is not', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../../docs/troubleshooting.md'), 'utf8');
  const named = [...guide.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
  const reading = [...clusterReading, ...nodeReading];
  const all = [...reading, ...clusterChecks, ...localChecks];
  const checks = all.map(({ name }) => name);
  assert.deepEqual(named.toSorted(), checks.toSorted());
});
