// A real agent that runs out of file descriptors, or whose disk is full: it goes on enforcing, and does the rest as soon as it can.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { shimPath } from '../../src/cni/index.ts';
import { closeNamespace, Nftables, openNamespace } from '../../src/kernel/index.ts';
import { CniError, callCni } from '../../src/lab/kubelet/cni.ts';
import { namespacePrefix, nodeRoot } from '../../src/lab/run/run.ts';
import { kubernetesNetworkPolicies } from '../../src/resources/index.ts';
import { Agents, namespace, type Sandbox } from '../../torture/agents/agents.ts';

const node = 'node-1';
const table = { family: 'inet', name: 'calico' } as const;
const patienceMs = 90_000;
const lookMs = 50;

describe('an agent', { timeout: 300_000 }, () => {
  let agents: Agents;
  let kernel: Nftables;
  const mounted: string[] = [];
  before(async () => {
    agents = await Agents.start({
      id: `test-exhausted-${process.pid}`,
      nodes: 1,
      pools: { four: { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Never' } },
      families: [4],
    });
    const path = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
    kernel = Nftables.open({ namespace: path });
    closeNamespace(path);
  });
  after(async () => {
    kernel?.close();
    // The agent still holds its log in there.
    for (const folder of mounted) execFileSync('umount', ['--lazy', folder]);
    await agents?.stop();
  });

  async function until(isTrue: () => boolean, what: string): Promise<void> {
    for (const start = Date.now(); !isTrue(); await delay(lookMs)) {
      if (Date.now() - start > patienceMs) throw new Error(`Waited ${patienceMs} ms for ${what}`);
    }
  }

  const enforces = (policy: string) => kernel.listChains(table).some(({ name }) => name.endsWith(policy));

  async function changePolicy(name: string): Promise<void> {
    await agents.datastore.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace, name },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    await until(() => enforces(name), `${name} to be enforced`);
  }

  async function makeSandbox(name: string): Promise<Sandbox> {
    const pod = await agents.createPod(name, node);
    const namespacePath = agents.makePodNamespace(name);
    return { pod, node, namespacePath, containerId: randomBytes(32).toString('hex') };
  }

  /** As a runtime does, which asks again. Returns the addresses. */
  async function added(sandbox: Sandbox): Promise<string[]> {
    for (const start = Date.now(); ; await delay(lookMs)) {
      try {
        return await agents.call('ADD', sandbox);
      } catch (error) {
        if (!(error instanceof CniError) || Date.now() - start > patienceMs) throw error;
      }
    }
  }

  test('without a descriptor to spare enforces what is new, refuses pods in words, and takes them when there are some', async (t) => {
    const first = await makeSandbox('first');
    await added(first);
    const pid = agents.pidOf(node) ?? assert.fail('no agent');
    const limit = descriptorsOf(pid);
    limit.spare(0);
    const second = await makeSandbox('second');
    const refusals: string[] = [];
    try {
      for (let i = 0; i < 5; i++) {
        await changePolicy(`scarce-${i}`);
        await agents.call('ADD', second).then(
          () => assert.fail('a pod was added without a descriptor'),
          (error: unknown) =>
            refusals.push(error instanceof CniError ? error.message : assert.fail(String(error))),
        );
      }
    } finally {
      limit.restore();
    }
    t.diagnostic(`refusals: ${[...new Set(refusals)].join(' | ')}`);
    assert.equal((await added(second)).length, 1);
    await agents.call('DEL', second);
    await agents.call('DEL', first);
    await until(() => agents.podLinks(node).length === 0, 'the links to go');
    assert.deepEqual([agents.pidOf(node), agents.restarts], [pid, 0]);
  });

  test('without descriptors for an IPAM plugin refuses its pods in words, and takes them when there are some', async (t) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'calico-exhausted-'));
    t.after(() => rmSync(dataDir, { recursive: true }));
    const hostLocal = (command: 'ADD' | 'DEL', sandbox: Sandbox) =>
      callCni({
        ...sandbox,
        plugin: shimPath(),
        command,
        configuration: JSON.stringify({
          ...agents.configuration(node),
          ipam: { type: 'host-local', subnet: '10.79.0.0/24', dataDir },
        }),
        environment: {},
        spawnOnNode: agents.onNode(node),
        signal: AbortSignal.timeout(patienceMs),
      });
    const pid = agents.pidOf(node) ?? assert.fail('no agent');
    const limit = descriptorsOf(pid);
    const sandbox = await makeSandbox('delegated');
    const refusals: string[] = [];
    try {
      // One is for the request itself.
      for (let spare = 1; spare <= 6; spare++) {
        limit.spare(spare);
        await hostLocal('ADD', sandbox).then(
          () => assert.fail(`a pod was added with ${spare} descriptors to spare`),
          (error: unknown) =>
            refusals.push(error instanceof CniError ? error.message : assert.fail(String(error))),
        );
      }
    } finally {
      limit.restore();
    }
    t.diagnostic(`refusals: ${[...new Set(refusals)].join(' | ')}`);
    assert.ok(refusals.some((refusal) => /Cannot run IPAM plugin "host-local": /.test(refusal)));
    assert.deepEqual([agents.pidOf(node), agents.restarts], [pid, 0]);
    assert.equal((await hostLocal('ADD', sandbox)).length, 1);
    await hostLocal('DEL', sandbox);
    await until(() => agents.podLinks(node).length === 0, 'the link to go');
    assert.deepEqual([agents.pidOf(node), agents.restarts], [pid, 0]);
  });

  test('whose disk is full starts, enforces and takes pods, and writes its files when there is room', async () => {
    const root = nodeRoot(agents.run, node);
    const folders = ['lib', 'log'].map((name) => join(root, name));
    const fillers = folders.map((folder) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'calico-test', folder]);
      mounted.push(folder);
      return join(folder, 'filler');
    });
    mkdirSync(join(root, 'lib', 'cni-deletions'), { mode: 0o700 });
    // As an earlier start left it: without it no pod is added.
    writeFileSync(join(root, 'lib', 'nodename'), node);
    writeFileSync(join(root, 'log', 'calico-node.log'), '');
    for (const filler of fillers) fill(filler);
    agents.kill(node);
    const sandbox = await makeSandbox('third');
    assert.equal((await added(sandbox)).length, 1);
    await changePolicy('cramped');
    const pid = agents.pidOf(node);
    assert.equal(agents.restarts, 1);
    assert.deepEqual(readdirSync(join(root, 'lib')).sort(), ['cni-deletions', 'filler', 'nodename']);
    assert.equal(statSync(join(root, 'log', 'calico-node.log')).size, 0);

    // Without an agent a DEL would have to be kept.
    const refused = await callCni({
      ...sandbox,
      plugin: shimPath(),
      command: 'DEL',
      configuration: JSON.stringify({
        ...agents.configuration(node),
        agent_socket: join(root, 'run', 'nobody'),
      }),
      environment: {},
      spawnOnNode: agents.onNode(node),
      signal: AbortSignal.timeout(patienceMs),
    }).catch((error: unknown) => error);
    assert.ok(refused instanceof CniError && refused.code === 5, String(refused));
    assert.match(refused.message, /nor can the DEL be kept: .*no space/);
    assert.deepEqual(readdirSync(join(root, 'lib', 'cni-deletions')), []);

    for (const filler of fillers) rmSync(filler);
    await until(() => existsSync(join(root, 'lib', 'mtu')), 'the files to be written');
    await agents.call('DEL', sandbox);
    await until(() => agents.podLinks(node).length === 0, 'the link to go');
    // What waited goes with the next line, which tells of a pod that is not there.
    const { metadata } = sandbox.pod;
    const nobody = { ...sandbox, pod: { ...sandbox.pod, metadata: { ...metadata, name: 'nobody' } } };
    await assert.rejects(agents.call('ADD', nobody), CniError);
    assert.match(
      readFileSync(join(root, 'log', 'calico-node.log'), 'utf8'),
      /"Ready"(.|\n)*A CNI request failed/,
    );
    assert.equal(agents.pidOf(node), pid);
  });

  test('without room for its socket enforces what is new, and takes pods as soon as there is some', async (t) => {
    const root = nodeRoot(agents.run, node);
    const folder = join(root, 'run');
    const restarts = agents.restarts;
    const [first, second] = [await makeSandbox('fourth'), await makeSandbox('fifth')];
    await added(first);
    // BIRD wants a socket there, too.
    const room = 8;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `nr_inodes=${room},mode=700`, 'calico-test', folder]);
    mounted.push(folder);
    // The folder itself is one.
    const fillers = Array.from({ length: room - 1 }, (_, n) => join(folder, `filler-${n}`));
    for (const filler of fillers) writeFileSync(filler, '');
    agents.kill(node);
    await changePolicy('without-socket');
    const pid = agents.pidOf(node);
    const refused = await agents.call('ADD', second).catch((error: unknown) => error);
    assert.ok(refused instanceof CniError && refused.code === 11, String(refused));
    t.diagnostic(refused.message);
    assert.deepEqual([agents.pidOf(node), agents.restarts], [pid, restarts + 1]);

    for (const filler of fillers) rmSync(filler);
    assert.equal((await added(second)).length, 1);
    for (const sandbox of [first, second]) await agents.call('DEL', sandbox);
    await until(() => agents.podLinks(node).length === 0, 'the links to go');
    assert.deepEqual([agents.pidOf(node), agents.restarts], [pid, restarts + 1]);
  });
});

/** What another process may open at most. */
function descriptorsOf(pid: number) {
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
  const options = ['--nofile', '--output', 'SOFT', '--noheadings'];
  const before = execFileSync('prlimit', ['--pid', String(pid), ...options], { encoding: 'utf8' }).trim();
  return {
    /** Leaves it so many besides those that it has. */
    spare(count: number): void {
      const taken = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
      let number = 0;
      // The lowest free number is the next to be given.
      for (let left = count; taken.has(number) || left-- > 0; ) number++;
      limit(String(number));
    },
    restore: () => limit(before),
  };
}

/** Writes until there is no room. */
function fill(path: string): void {
  const chunk = Buffer.alloc(4096);
  assert.throws(
    () => {
      for (;;) writeFileSync(path, chunk, { flag: 'a' });
    },
    { code: 'ENOSPC' },
  );
}
