import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ScarcityError, startProgram } from './start-program.ts';

test('nothing that a program says at once is lost', async () => {
  const child = await startProgram(() => spawn('/bin/echo', ['hello'], { stdio: 'pipe' }));
  const closed = new Promise((resolve) => child.on('close', resolve));
  assert.equal(await text(child.stdout), 'hello\n');
  assert.equal(await closed, 0);
});

test('a program that is not there is told by its code', async () => {
  const start = startProgram(() => spawn('/no/such/program', [], { stdio: 'pipe' }));
  await assert.rejects(start, { code: 'ENOENT' });
});

test('what the system has too little of is told in words, whether spawn throws or says it afterwards', async () => {
  const scarce = (code: string) => Object.assign(new Error(`spawn x ${code}`), { code });
  const thrown = startProgram(() => {
    throw scarce('ENOMEM');
  });
  await assert.rejects(thrown, new ScarcityError('spawn x ENOMEM: this machine has no memory left'));
  const told = startProgram(() => {
    const child = spawn('/bin/true', [], { stdio: 'ignore' });
    queueMicrotask(() => child.emit('error', scarce('EAGAIN')));
    return child;
  });
  await assert.rejects(told, new ScarcityError('spawn x EAGAIN: this machine makes no more processes'));
});
