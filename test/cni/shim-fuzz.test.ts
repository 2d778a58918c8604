// Whatever a runtime, or somebody who plays one, gives the shim: it answers in the protocol's form and never crashes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { CniServer, shimPath } from '../../src/cni/index.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { log } from './test-node.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const folder = mkdtempSync(join(tmpdir(), 'calico-fuzz-'));
const socket = join(folder, 'cni.sock');
const deletions = join(folder, 'deletions');
const shim = shimPath();
const plugin: Plugin = {
  add: async () => ({ addresses: ['192.0.2.1'] }),
  delete: async () => {},
  check: async () => {},
  collectGarbage: async () => {},
  status: async () => {},
};
const server = new CniServer({
  socketPath: socket,
  deletionsPath: deletions,
  network: plugin,
  ipam: plugin,
  log,
});
await server.listen();
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

// No process can be given a variable with a NUL in it.
const value = fc.string({ unit: 'binary', maxLength: 300 }).map((any) => any.replaceAll('\0', ''));
const command = fc.oneof(fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'), value);
const environment = fc.record(
  {
    CNI_COMMAND: command,
    CNI_CONTAINERID: fc.oneof(fc.constant('c1'), value),
    CNI_NETNS: fc.oneof(fc.constant('/run/netns/none'), value),
    CNI_IFNAME: fc.oneof(fc.constant('eth0'), value),
    CNI_ARGS: fc.oneof(fc.constant('K8S_POD_NAMESPACE=a;K8S_POD_NAME=b'), value),
    CNI_PATH: value,
  },
  { requiredKeys: [] },
);
const paths = {
  agent_socket: fc.constantFrom(socket, join(folder, 'nobody.sock')),
  deletions_dir: fc.constant(deletions),
};
const configuration = fc
  .record(
    {
      cniVersion: fc.oneof(fc.constantFrom('0.3.1', '1.0.0', '1.1.0'), fc.jsonValue()),
      name: fc.oneof(fc.constant('net'), fc.jsonValue()),
      ipam: fc.oneof(fc.constant({ type: 'calico-ipam' }), fc.jsonValue()),
      prevResult: fc.jsonValue(),
      'cni.dev/valid-attachments': fc.jsonValue(),
      mtu: fc.jsonValue(),
      container_settings: fc.jsonValue(),
      ...paths,
    },
    { requiredKeys: ['agent_socket', 'deletions_dir'] },
  )
  .map((object) => Buffer.from(JSON.stringify(object)));
// Bytes that are no object at all would be sent to the socket of the machine's own agent; they end before that.
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([Buffer.from('{'), bytes])),
  configuration.map((whole) => whole.subarray(0, Math.max(1, whole.length - 2))),
);

test(`any stdin and environment is answered in form (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(environment, fc.oneof(configuration, noise), async (variables, stdin) => {
      const child = spawn(shim, [], { env: variables, stdio: 'pipe' });
      child.stdin.on('error', () => {}); // a plugin that refuses early need not read all of its stdin
      child.stdin.end(stdin);
      const ended = new Promise<number | string | null>((resolve) =>
        child.on('close', (code, signal) => resolve(code ?? signal)),
      );
      const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      assert.equal(stderr, '');
      if (code === 0) {
        if (stdout !== '') JSON.parse(stdout);
        return;
      }
      assert.equal(code, 1, `ended with ${code}`);
      const error = JSON.parse(stdout) as Record<string, unknown>;
      assert.equal(typeof error.cniVersion, 'string');
      assert.equal(typeof error.msg, 'string');
      assert.ok([1, 2, 3, 4, 5, 6, 7, 11, 50, 100].includes(Number(error.code)), stdout);
    }),
    { seed, numRuns: 150 },
  );
  for (const name of readdirSync(folder)) assert.ok(['cni.sock', 'deletions'].includes(name), name);
});

test('whatever comes over the socket, the server answers it in the form of the protocol', async () => {
  const request = fc.oneof(
    fc.jsonValue(),
    fc.record(
      { program: fc.jsonValue(), environment: fc.jsonValue(), stdin: fc.jsonValue() },
      { requiredKeys: [] },
    ),
    fc.record({
      program: fc.constantFrom('calico', 'calico-ipam'),
      environment: fc.dictionary(
        fc.constantFrom('CNI_COMMAND', 'CNI_ARGS', 'CNI_CONTAINERID'),
        fc.jsonValue(),
      ),
      stdin: fc.oneof(fc.jsonValue(), fc.constant('{"log_file_path":5}')),
    }),
  );
  const lines = fc.oneof(
    request.map((any) => JSON.stringify(any)),
    fc.string({ unit: 'binary' }),
  );
  await fc.assert(
    fc.asyncProperty(lines, async (line) => {
      const client = connect(socket);
      client.end(`${line.replaceAll('\n', ' ')}\n`);
      const { exitCode, stdout } = JSON.parse(await text(client));
      assert.equal(exitCode, 1);
      assert.equal(typeof JSON.parse(stdout).msg, 'string');
    }),
    { seed, numRuns: 300, examples: [['null'], ['{"stdin":5}'], ['{"environment":null}']] },
  );
});
