// A chain takes long with each packet, and counts those that come in and those that go out. Whoever had come in when the waiting began
// must have gone out when it ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
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
/** Rules that a packet passes: this to the third power. */
const width = 30;
const base = 'there';
const table = { family: 'inet', name: 'slow' } as const;
/** For at most so many seconds. */
const flood = `
  const socket = require('node:dgram').createSocket('udp4');
  const until = Date.now() + 30_000;
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

/** In how many rounds somebody who was there before the waiting is there after it still. */
async function overlooked(wait: () => unknown): Promise<number> {
  let found = 0;
  for (let round = 0; round < rounds; round++) {
    await new Promise(setImmediate);
    const [entered] = counts();
    await wait();
    const [, left] = counts();
    if (left < entered) found++;
  }
  return found;
}

test('packets are under way when nobody waits for them', async () => {
  while (counts()[1] < 10n) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok((await overlooked(() => {})) > rounds / 10);
});
test('none is, by a link that leaves its bridge', async () => {
  assert.equal(await overlooked(() => assert.ok(leaveBridge())), 0);
});
test('none is, by membarrier', async () => {
  assert.equal(await overlooked(() => assert.ok(membarrier())), 0);
});
test('none is, by what the dataplane calls', async () => {
  assert.equal(await overlooked(awaitPacketsInFlight), 0);
  assert.equal(await overlooked(packetsInFlight), 0);
});
