// What must hold before a pod is set up, each thing missing in turn.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { readConfiguration } from './configuration.ts';
import { CniError } from './errors.ts';
import { passGates } from './gates.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-gates-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const missing = join(folder, 'missing');
mkdirSync(join(folder, 'directory'));

const usualName = file('nodename', 'node-1');

function pass(
  keys: object,
  { mtuFile = missing, nodenameFile = usualName, deadlineMs = 10_000 } = {},
): Promise<void> {
  const configuration = readConfiguration(JSON.stringify({ cniVersion: '1.1.0', name: 'net', ...keys }));
  const options = { node: 'node-1', datastore: new MemoryDatastore(), mtuFile, nodenameFile };
  return passGates(configuration, options, { intervalMs: 1, deadlineMs });
}

const isCode = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof CniError && error.code === code && message.test(error.message);

for (const [what, keys, code, message] of [
  ['another node', { nodename: 'node-2' }, 7, /is for node "node-2", and this is "node-1"/],
  [
    'another node, as Kubernetes calls it',
    { kubernetes: { node_name: 'node-2' } },
    7,
    /is for node "node-2"/,
  ],
  ['a missing name', { nodename_file: missing }, 11, /Cannot read the node's name from ".*missing"/],
  [
    'a name that cannot be read',
    { nodename_file: join(folder, 'directory') },
    5,
    /Cannot read the node's name/,
  ],
  ['a wrong name', { nodename_file: file('wrong', 'node-2\n') }, 7, /says that this is node "node-2"/],
  ['a missing packet size', { require_mtu_file: true }, 11, /no file ".*missing" yet/],
] as const) {
  test(`${what} is refused with code ${code}`, async () => {
    await assert.rejects(pass(keys), isCode(code, message));
  });
}

for (const [what, keys] of [
  ['nothing is asked for', {}],
  ['the name is right', { nodename: 'node-1', nodename_file: file('right', 'node-1\n') }],
  ['the name may be missing', { nodename_file: missing, nodename_file_optional: true }],
  ['the packet size is in the configuration', { require_mtu_file: true, mtu: 1400 }],
] as const) {
  test(`the gates are open where ${what}`, () => pass(keys));
}

test("without the agent's own file of the node's name no pod is set up, unless the name may be missing", async () => {
  const nodenameFile = join(folder, 'no-nodename');
  await assert.rejects(
    pass({}, { nodenameFile }),
    isCode(11, /Cannot read the node's name from ".*no-nodename"/),
  );
  await pass({ nodename_file_optional: true }, { nodenameFile });
  await pass({ nodename_file: usualName }, { nodenameFile });
});

test('the gates are open where the packet size is in its file', () =>
  pass({ require_mtu_file: true }, { mtuFile: file('mtu', '1400') }));

describe('a readiness gate', async () => {
  let closedFor = 0;
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(closedFor-- > 0 ? 503 : 200).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readiness`;

  test('that opens after a while is waited for', async () => {
    closedFor = 3;
    asked = 0;
    await pass({ readiness_gates: [url] });
    assert.equal(asked, 4);
  });

  test('that stays closed is a reason to be called again, code 11', async () => {
    closedFor = Number.POSITIVE_INFINITY;
    const deadlineMs = 2_000;
    await assert.rejects(
      pass({ readiness_gates: [url] }, { deadlineMs }),
      isCode(11, /The readiness gate "http.*" is closed: it answered 503/),
    );
    await assert.rejects(
      pass({ readiness_gates: ['http://127.0.0.1:1/'] }, { deadlineMs }),
      isCode(11, /is closed: .*ECONNREFUSED|is closed: .*bad port/),
    );
  });
});
