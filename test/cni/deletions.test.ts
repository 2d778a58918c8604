// DEL when what it needs is gone: the pod's namespace, the agent, the datastore. It succeeds, nothing is lost, and what could
// not be done is done later.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { interfaceNameOf } from '../../src/calc/index.ts';
import { CniServer, IpamPlugin, shimPath } from '../../src/cni/index.ts';
import { keepDeletion } from '../../src/cni/pending-deletions.ts';
import { UnavailableError } from '../../src/datastore/index.ts';
import { deleteNamespace } from '../../src/kernel/index.ts';
import { ipamHandles } from '../../src/resources/index.ts';
import { ipJson, testNamespace } from '../kernel/test-namespaces.ts';
import { baseConfiguration, type Call, log, requestOf, TestNode, variablesOf } from './test-node.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-deletions-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const shim = shimPath();
let count = 0;

class Agent {
  readonly node: TestNode;
  readonly root = join(folder, String(++count));
  readonly deletions = join(this.root, 'lib', 'cni-deletions');
  readonly socket = join(this.root, 'run', 'cni.sock');
  #server: CniServer | undefined;

  constructor(node: TestNode) {
    this.node = node;
  }

  async start(): Promise<void> {
    const { name, datastore, ipam, network } = this.node;
    this.#server = new CniServer({
      socketPath: this.socket,
      deletionsPath: this.deletions,
      network,
      ipam: new IpamPlugin({ node: name, datastore, ipam }),
      log,
    });
    await this.#server.listen();
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async call(command: string, call: Call) {
    const configuration = {
      ...baseConfiguration,
      ...call.configuration,
      agent_socket: this.socket,
      deletions_dir: this.deletions,
    };
    const child = spawn(shim, [], { env: variablesOf(command, call), stdio: 'pipe' });
    child.stdin.on('error', () => {}); // a plugin that refuses early need not read all of its stdin
    child.stdin.end(JSON.stringify(configuration));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [stdout, code] = await Promise.all([text(child.stdout), ended]);
    return { code, stdout };
  }

  get kept(): string[] {
    return readdirSync(this.deletions).filter((name) => name.endsWith('.json'));
  }

  async addresses(): Promise<number> {
    return (await this.node.store.list(ipamHandles)).length;
  }

  get links(): number {
    return ipJson(this.node.namespace, 'link').length - 1;
  }
}

async function agentWithPod(): Promise<{ agent: Agent; call: Call }> {
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  const agent = new Agent(node);
  await agent.start();
  after(() => agent.stop());
  const call: Call = { pod: 'web', container: 'c1', namespace: testNamespace('pod') };
  const { code, stdout } = await agent.call('ADD', call);
  assert.equal(code, 0, stdout);
  return { agent, call };
}

/** Resolves when the folder holds no kept DEL any more; rejects after a while. */
async function drained(agent: Agent): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => agent.kept.length === 0 && resolve();
  const watcher = watch(agent.deletions, look);
  signal.addEventListener('abort', () => reject(new Error(`still kept: ${agent.kept}`)));
  look();
  try {
    await promise;
  } finally {
    watcher.close();
  }
}

test('DEL succeeds when the namespace is gone, with its path and without', async () => {
  for (const withPath of [true, false]) {
    const { agent, call } = await agentWithPod();
    assert.ok(call.namespace);
    deleteNamespace(call.namespace.name);
    const { code } = await agent.call('DEL', withPath ? call : { ...call, namespace: undefined });
    assert.deepEqual([code, agent.links, await agent.addresses()], [0, 0, 0]);
  }
});

test('DEL without an agent is kept for root alone and done at the next start', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  const { code, stdout } = await agent.call('DEL', call);
  assert.deepEqual([code, stdout], [0, '']);
  await agent.call('DEL', call);
  const [name = '', ...more] = agent.kept;
  assert.deepEqual(more, []);
  assert.equal(statSync(join(agent.deletions, name)).mode & 0o777, 0o600);
  assert.equal(statSync(agent.deletions).mode & 0o777, 0o700);
  assert.deepEqual([agent.links, await agent.addresses()], [1, 1]);
  await agent.start();
  assert.deepEqual([agent.links, await agent.addresses(), agent.kept], [0, 0, []]);
});

test('a DEL that the shim keeps while the agent is there is done at once', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  await agent.call('DEL', call);
  const [name = ''] = agent.kept;
  const request = join(agent.deletions, name);
  const moved = join(folder, `moved-${count}`);
  mkdirSync(moved);
  renameSync(request, join(moved, name));
  await agent.start();
  assert.equal(agent.links, 1);
  renameSync(join(moved, name), request);
  await drained(agent);
  assert.deepEqual([agent.links, await agent.addresses()], [0, 0]);
});

test('a kept DEL does not touch the next container of the pod', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  await agent.call('DEL', call);
  await agent.node.network.add(requestOf('ADD', { ...call, container: 'c2' }));
  await agent.start();
  assert.equal(agent.node.links.owner(interfaceNameOf('shop', 'web')), 'test-net c2 eth0 shop/web');
  assert.deepEqual([agent.links, await agent.addresses(), agent.kept], [1, 1, []]);
});

test('DEL without the datastore takes the link down at once and the address back when it can', async () => {
  const { agent, call } = await agentWithPod();
  agent.node.store.interference = {
    before: () => {
      throw new UnavailableError('the API server is away');
    },
  };
  const { code, stdout } = await agent.call('DEL', call);
  assert.deepEqual([code, stdout], [0, '']);
  assert.deepEqual([agent.links, agent.kept.length], [0, 1]);
  agent.node.store.interference = {};
  assert.equal(await agent.addresses(), 1);
  await drained(agent);
  assert.equal(await agent.addresses(), 0);
});

test('files that are no DELs are put aside and keep nothing back', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  await agent.call('DEL', call);
  for (const [name, content] of Object.entries({
    broken: '{"program":',
    wrong: '{}',
    empty: '',
    'no-stdin': '{"program":"calico","environment":{"CNI_CONTAINERID":"x"},"stdin":""}',
  })) {
    writeFileSync(join(agent.deletions, `${name}.json`), content);
  }
  await agent.start();
  assert.deepEqual([agent.links, await agent.addresses(), agent.kept], [0, 0, []]);
  assert.equal(readdirSync(agent.deletions).filter((name) => name.endsWith('.refused')).length, 4);
});

test('a malformed DEL without an agent is refused with its code and not kept', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  const { code, stdout } = await agent.call('DEL', { ...call, container: '../x' });
  assert.deepEqual([code, JSON.parse(stdout).code, agent.kept], [1, 4, []]);
});

test('a kept DEL waits for an IPAM plugin that is being replaced, and for one that refuses', async () => {
  const { agent, call } = await agentWithPod();
  await agent.stop();
  const plugins = join(folder, `plugins-${count}`);
  mkdirSync(plugins);
  const path = join(plugins, 'fickle-ipam');
  const install = (answer: string) => {
    writeFileSync(`${path}.new`, `#!/bin/sh\n${answer}\n`);
    chmodSync(`${path}.new`, 0o755);
    renameSync(`${path}.new`, path);
  };
  keepDeletion(agent.deletions, {
    program: 'calico',
    environment: { ...variablesOf('DEL', call), CNI_PATH: plugins },
    stdin: JSON.stringify({ ...baseConfiguration, ipam: { type: 'fickle-ipam' } }),
  });
  await agent.start();
  assert.equal(agent.kept.length, 1);
  await agent.stop();
  install(`echo '{"cniVersion":"1.0.0","code":7,"msg":"not now"}'; exit 1`);
  await agent.start();
  assert.equal(agent.kept.length, 1);
  install('exit 0');
  await drained(agent);
  assert.deepEqual(readdirSync(agent.deletions), []);
});
