// What stands behind `-f` on a disk where links lead anywhere.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { CommandError } from '../problem.ts';
import { readSources } from './files.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-files-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'inner'));
writeFileSync(join(folder, 'inner', 'b.yaml'), 'b');
writeFileSync(join(folder, 'a.yaml'), 'a');
writeFileSync(join(folder, 'notes.txt'), 'none');
symlinkSync('.', join(folder, 'inner', 'again'));
symlinkSync(folder, join(folder, 'inner', 'up'));
symlinkSync('nowhere', join(folder, 'dangling'));
const circle = mkdtempSync(join(tmpdir(), 'calico-files-'));
after(() => rmSync(circle, { recursive: true }));
symlinkSync('two.yaml', join(circle, 'one.yaml'));
symlinkSync('one.yaml', join(circle, 'two.yaml'));

const textsOf = async (recursive: boolean) =>
  (await readSources({ filename: [folder], recursive })).map(({ file, text }) => [basename(file), text]);

test('a folder’s manifests are read once each, whatever links lead back to it', async () => {
  assert.deepEqual(await textsOf(false), [['a.yaml', 'a']]);
  assert.deepEqual(await textsOf(true), [
    ['a.yaml', 'a'],
    ['b.yaml', 'b'],
  ]);
});

for (const path of [join(circle, 'one.yaml'), circle]) {
  test(`links that lead round in a circle are named, in ${path === circle ? 'a folder' : 'a name'}`, async () => {
    await assert.rejects(
      readSources({ filename: [path] }),
      (error) =>
        error instanceof CommandError && /one\.yaml": its links lead round in a circle/.test(error.message),
    );
  });
}
