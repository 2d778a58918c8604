// A chain takes long with each packet, and counts those that come in and those that go out. Whoever had come in when the waiting began
// must have gone out when it ends. It takes two processors: on one, nobody looks while a packet is under way.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { counter, jump } from '../../src/dataplane/nftables/matches.ts';
import {
  awaitPacketsInFlight,
  inNamespace,
  Nftables,
  packetsInFlight,
  Transaction,
} from '../../src/kernel/index.ts';
import { leaveBridge, membarrier } from '../../src/kernel/packets-in-flight.ts';
import { addSlowChain } from '../dataplane/slow-chains.ts';
import { ip, testNamespace } from './test-namespaces.ts';

const rounds = 200;
/** In so many rounds a packet must have been under way when nobody waited. */
const enough = rounds / 10;
/** Rules that a packet passes: this to the third power. */
const width = 30;
const base = 'there';
const table = { family: 'inet', name: 'slow' } as const;
/** For at most so many seconds. */
const flood = `
  const socket = require('node:dgram').createSocket('udp4');
  const until = Date.now() + 120_000;
  const send = () => socket.send('x', 9, '127.0.0.1', () => Date.now() < until && process.connected ? send() : process.exit());
  send();
`;

const there = testNamespace(base);
ip(there, 'link', 'set', 'lo', 'up');
const nftables = Nftables.open({ namespace: there.fd });
const transaction = new Transaction(table);
transaction.addTable();
const slow = addSlowChain(transaction, width);
transaction.addChain({
  name: base,
  hook: { type: 'filter', hook: 'output', priority: 0, policy: 'accept' },
});
for (const expression of [counter, jump(slow), counter])
  transaction.addRule({ chain: base, expressions: [expression] });
nftables.commit(transaction);
const flooder = inNamespace(there.fd, () =>
  spawn(process.execPath, ['-e', flood], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
);
before(async () => {
  while (counts()[1] < 10n) await delay(10);
});
after(() => {
  flooder.kill();
  nftables.close();
});

/** Packets that have come in and gone out so far. */
function counts(): [entered: bigint, left: bigint] {
  const [entered = 0n, left = 0n] = nftables
    .listRules(table)
    .filter(({ chain }) => chain === base)
    .flatMap(({ expressions }) => expressions)
    .flatMap((expression) => (expression.kind === 'counter' ? [expression.packets] : []));
  return [entered, left];
}

/** Whether somebody who was there before the waiting is there after it still. */
async function overlooked(wait: () => unknown): Promise<boolean> {
  await new Promise(setImmediate);
  const [entered] = counts();
  await wait();
  return counts()[1] < entered;
}

/**
 * That the waiting overlooks nobody, asked in all rounds, and in more until packets were under way often enough when nobody waited: how often
 * one is met is chance, and the processors' that are free.
 */
async function overlooksNobody(wait: () => unknown): Promise<void> {
  for (let round = 0, met = 0; round < rounds || met < enough; round++) {
    assert.equal(flooder.exitCode, null, `no more packets come, after ${met} of ${enough} were met`);
    if (await overlooked(() => {})) met++;
    assert.ok(!(await overlooked(wait)), 'somebody is there still');
  }
}

const skip = availableParallelism() < 2 && 'one processor: nobody looks while a packet is under way';

test('none is under way after a link has left its bridge', { skip }, () =>
  overlooksNobody(() => assert.ok(leaveBridge())),
);
test('none is after membarrier', { skip }, () => overlooksNobody(() => assert.ok(membarrier())));
test('none is after what the dataplane calls', { skip }, async () => {
  await overlooksNobody(awaitPacketsInFlight);
  await overlooksNobody(packetsInFlight);
});
