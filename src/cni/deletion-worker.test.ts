import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger } from '../process/index.ts';
import { DeletionWorker } from './deletion-worker.ts';
import { keepDeletion, keptDeletions } from './pending-deletions.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-kept-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const log = createLogger('test', 'silent');
const keep = (container: number) =>
  keepDeletion(folder, { program: 'calico', environment: { CNI_CONTAINERID: `c${container}` }, stdin: '{}' });

test('a start waits for the DELs that were kept, several at a time, and not for those that go on coming', async () => {
  let count = 0;
  let atOnce = 0;
  let most = 0;
  for (; count < 20; count++) keep(count);
  const worker = new DeletionWorker({
    folder,
    log,
    perform: async () => {
      most = Math.max(most, ++atOnce);
      // As runtimes do that cannot add pods yet: there always is another one.
      keep(count++);
      await new Promise(setImmediate);
      atOnce--;
      return true;
    },
  });
  await worker.start();
  assert.ok(count >= 40, `only ${count - 20} were done`);
  assert.equal(most, 8);
  await worker.stop();
  assert.ok(keptDeletions(folder).length > 0);
});

test('what stands among the kept DELs and is none is set aside, and stops no other and no process', async () => {
  rmSync(folder, { recursive: true });
  keep(1);
  mkdirSync(join(folder, 'a.json'));
  for (const [index, text] of [
    '',
    'null',
    '{"program":1}',
    '{"program":"calico","environment":null,"stdin":""}',
  ].entries())
    writeFileSync(join(folder, `b${index}.json`), text);
  const done: string[] = [];
  const worker = new DeletionWorker({
    folder,
    log,
    perform: async ({ environment }) => {
      done.push(environment.CNI_CONTAINERID ?? '');
      return true;
    },
  });
  await worker.start();
  await worker.stop();
  assert.deepEqual(done, ['c1']);
  assert.deepEqual(keptDeletions(folder), []);
});

test('a folder for kept DELs that is none ends no process', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const worker = new DeletionWorker({ folder: path, log, perform: async () => true });
  await assert.rejects(worker.start());
  await worker.stop();
});
