import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeTextWhole, writeWhole } from './write-whole.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-write-whole-'));
after(() => rmSync(folder, { recursive: true }));

test('what cannot be written to its end leaves the file as it was, and nothing beside it', () => {
  const path = join(folder, 'kept');
  writeTextWhole(path, 0o600, 'before');
  const failing = (unfinished: string) => {
    writeFileSync(unfinished, 'aft');
    throw new Error('no room');
  };
  assert.throws(() => writeWhole(path, 0o600, failing), /no room/);
  assert.equal(readFileSync(path, 'utf8'), 'before');
  assert.deepEqual(readdirSync(folder), ['kept']);
  rmSync(path);
});

test('a draft that another process of the same number has left gives the next no rights', () => {
  const path = join(folder, 'secret');
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, 'the beginning', { mode: 0o644 });
  writeWhole(path, 0o600, (unfinished) => {
    assert.deepEqual(readdirSync(folder), []);
    writeFileSync(unfinished, 'whole', { mode: 0o600 });
  });
  assert.equal(readFileSync(path, 'utf8'), 'whole');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['secret']);
});
