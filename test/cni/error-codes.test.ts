// Every error code of the specification on the input that earns it, through the compiled plugin and the agent's socket.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { CniServer, IpamPlugin, shimPath } from '../../src/cni/index.ts';
import { testNamespace } from '../kernel/test-namespaces.ts';
import { baseConfiguration, log, TestNode, variablesOf } from './test-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-codes-'));
const shim = shimPath();
const pools = { tiny: { cidr: '10.41.0.0/31', blockSize: 31 } };

async function serve(node: TestNode, name: string): Promise<string> {
  const socketPath = join(folder, name);
  const { datastore, ipam, network } = node;
  const server = new CniServer({
    socketPath,
    deletionsPath: join(folder, 'deletions'),
    network,
    ipam: new IpamPlugin({ node: node.name, datastore, ipam }),
    log,
  });
  await server.listen();
  after(() => server.close());
  return socketPath;
}

const node = await (await TestNode.make({ pools })).start();
const ready = await serve(node, 'ready.sock');
const early = await serve(await TestNode.make({ pools }), 'early.sock');
after(() => rmSync(folder, { recursive: true, force: true }));
await node.createPod('web');
const namespace = testNamespace('pod');

interface Input {
  readonly command?: string;
  readonly environment?: Record<string, string>;
  readonly keys?: object;
  readonly stdin?: string;
}

/** What is left as it is makes an ADD that the agent would do. */
async function codeOf({ command = 'ADD', environment, keys, stdin }: Input): Promise<[unknown, string]> {
  const configuration = {
    ...baseConfiguration,
    agent_socket: ready,
    deletions_dir: join(folder, 'deletions'),
    ...keys,
  };
  const variables = variablesOf(command, { pod: 'web', container: 'c1', namespace });
  const child = spawn(shim, [], { env: { ...variables, ...environment }, stdio: 'pipe' });
  child.stdin.on('error', () => {}); // a plugin that refuses early need not read all of its stdin
  child.stdin.end(stdin ?? JSON.stringify(configuration));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, exitCode] = await Promise.all([text(child.stdout), ended]);
  assert.equal(exitCode, 1, stdout);
  const { code, msg, cniVersion } = JSON.parse(stdout);
  assert.equal(typeof cniVersion, 'string');
  return [code, String(msg)];
}

for (const [code, what, input, message] of [
  [1, 'a version that does not exist', { keys: { cniVersion: '2.0.0' } }, /"2\.0\.0" is not one of/],
  [1, 'CHECK in a version without it', { command: 'CHECK', keys: { cniVersion: '0.3.1' } }, /has no CHECK/],
  [1, 'GC in a version without it', { command: 'GC', keys: { cniVersion: '1.0.0' } }, /has no GC/],
  [2, 'a field with a value that we do not support', { keys: { device_type: 'ipvlan' } }, /"device_type"/],
  [
    3,
    'CHECK of a container that is not there',
    { command: 'CHECK', keys: { prevResult: {} }, environment: { CNI_CONTAINERID: 'nobody' } },
    /"nobody" has no link/,
  ],
  [4, 'no container', { environment: { CNI_CONTAINERID: '' } }, /CNI_CONTAINERID is missing/],
  [4, 'a container that is a path', { environment: { CNI_CONTAINERID: '../c1' } }, /CNI_CONTAINERID is/],
  [4, 'no namespace', { environment: { CNI_NETNS: '' } }, /CNI_NETNS is missing/],
  [4, 'an interface name that no link can have', { environment: { CNI_IFNAME: 'a/b' } }, /CNI_IFNAME/],
  [4, 'no pod', { environment: { CNI_ARGS: '' } }, /names no K8S_POD_NAMESPACE/],
  [4, 'a command that does not exist', { command: 'MOVE' }, /CNI_COMMAND is "MOVE"/],
  [5, 'a file that cannot be read', { keys: { nodename_file: folder } }, /Cannot read the node's name/],
  [6, 'a configuration that is not JSON', { stdin: '{"name":' }, /configuration on stdin/],
  [7, 'a network without a name', { keys: { name: '' } }, /"name" is ""/],
  [7, 'CHECK without what ADD answered', { command: 'CHECK' }, /"prevResult" is missing/],
  [7, 'an IPAM plugin that is not installed', { keys: { ipam: { type: 'nowhere' } } }, /no such plugin/],
  [11, 'no agent', { keys: { agent_socket: join(folder, 'nobody.sock') } }, /does not answer/],
  [11, 'an agent that has not read all policies', { keys: { agent_socket: early } }, /not read all policies/],
  [
    50,
    'STATUS of such an agent',
    { command: 'STATUS', keys: { agent_socket: early } },
    /not read all policies/,
  ],
  [50, 'STATUS without an agent', { command: 'STATUS', keys: { agent_socket: join(folder, 'x') } }, /answer/],
] as [number, string, Input, RegExp][]) {
  test(`code ${code} for ${what}`, async () => {
    const [given, said] = await codeOf(input);
    assert.equal(given, code, said);
    assert.match(said, message);
  });
}

test('code 100, our own, for a full pool, and nothing of the pod is left', async () => {
  await node.ipam.autoAssign({
    node: node.name,
    count: { 4: 2 },
    use: 'Workload',
    handleId: 'others',
    attributes: {},
  });
  const [code, said] = await codeOf({});
  assert.equal(code, 100, said);
  assert.match(said, /no block has 1 free address in "tiny" \(10\.41\.0\.0\/31\)/);
  assert.deepEqual([...node.links.owners()], []);
});
