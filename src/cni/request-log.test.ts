import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { noteRequest, readLogSettings } from './request-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-request-log-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

test('what is grave enough is noted, a line of JSON each', () => {
  const settings = readLogSettings({ log_file_path: join(folder, 'a', 'cni.log'), log_level: 'warning' });
  assert.ok(settings);
  noteRequest(settings, 'info', { command: 'ADD' }, at(0));
  noteRequest(settings, 'error', { command: 'DEL' }, at(1));
  assert.equal(
    readFileSync(settings.path, 'utf8'),
    '{"time":"2026-01-01T00:00:01.000Z","level":"error","command":"DEL"}\n',
  );
});

test('a large file is turned over, and old ones and those beyond the number go', () => {
  const path = join(folder, 'b', 'cni.log');
  const settings = { path, level: 'info', maxBytes: 1, maxAgeMs: 60_000, maxFiles: 2 } as const;
  for (let second = 0; second < 4; second++) noteRequest(settings, 'info', { second }, at(second));
  const turnedOver = () =>
    readdirSync(join(folder, 'b'))
      .filter((name) => name !== 'cni.log')
      .toSorted();
  assert.deepEqual(turnedOver(), ['cni.log.2026-01-01T00-00-02.000Z', 'cni.log.2026-01-01T00-00-03.000Z']);
  const [old = ''] = turnedOver();
  utimesSync(join(folder, 'b', old), at(0), at(0));
  utimesSync(join(folder, 'b', 'cni.log.2026-01-01T00-00-03.000Z'), at(100), at(100));
  noteRequest(settings, 'info', { second: 100 }, at(100));
  assert.ok(!turnedOver().includes(old));
  assert.match(readFileSync(path, 'utf8'), /"second":100/);
});

test('files of others are left alone, however like ours they are called', () => {
  const path = join(folder, 'c', 'cni.log');
  const settings = { path, level: 'info', maxBytes: 1, maxAgeMs: 60_000, maxFiles: 1 } as const;
  noteRequest(settings, 'info', {}, at(0));
  writeFileSync(`${path}.position`, '');
  utimesSync(`${path}.position`, at(0), at(0));
  for (let second = 100; second < 104; second++) noteRequest(settings, 'info', { second }, at(second));
  assert.ok(existsSync(`${path}.position`));
});

test('without a path nothing is wanted', () => {
  assert.equal(readLogSettings({ log_level: 'debug' }), undefined);
});
