// Settings that the API accepts and the kernel refuses: a real agent comes up all the same, or waits for them to be set right,
// and takes that in without being killed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { closeNamespace, InetSocket, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { CniError } from '../../src/lab/kubelet/cni.ts';
import { namespacePrefix, nodeRoot } from '../../src/lab/run/run.ts';
import { type FelixConfiguration, felixConfigurations } from '../../src/resources/index.ts';
import { Agents, type Sandbox } from '../../torture/agents/agents.ts';

const node = 'node-1';
const patienceMs = 60_000;
const lookMs = 50;
const underlayMtu = 1500;

describe('an agent whose settings the kernel refuses', { timeout: 240_000 }, () => {
  let agents: Agents;
  let namespace: number;
  before(async () => {
    agents = await Agents.start({
      id: `test-settings-${process.pid}`,
      nodes: 1,
      pools: { four: { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Always' } },
      families: [4],
    });
    namespace = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
  });
  after(async () => {
    if (namespace !== undefined) closeNamespace(namespace);
    await agents?.stop();
  });

  const log = () => readFileSync(join(nodeRoot(agents.run, node), 'log', 'calico-node.log'), 'utf8');
  const configure = async (spec: FelixConfiguration['spec']) => {
    const { metadata, ...rest } = await agents.datastore.get(felixConfigurations, { name: 'default' });
    await agents.datastore.update(felixConfigurations, { ...rest, metadata, spec });
  };
  const tunnel = () => {
    using rtnetlink = Rtnetlink.open({ namespace });
    return rtnetlink.link('vxlan.calico');
  };
  async function until(isTrue: () => boolean, what: string): Promise<void> {
    for (const start = Date.now(); !isTrue(); await delay(lookMs)) {
      if (Date.now() - start > patienceMs) throw new Error(`Waited ${patienceMs} ms for ${what}:\n${log()}`);
    }
  }

  /** As a runtime does, which asks again. */
  async function takesPod(name: string): Promise<void> {
    const pod = await agents.createPod(name, node);
    const namespacePath = agents.makePodNamespace(name);
    const sandbox: Sandbox = { pod, node, namespacePath, containerId: randomBytes(32).toString('hex') };
    for (const start = Date.now(); ; await delay(lookMs)) {
      try {
        await agents.call('ADD', sandbox);
        break;
      } catch (error) {
        if (!(error instanceof CniError) || Date.now() - start > patienceMs) throw error;
      }
    }
    await agents.call('DEL', sandbox);
  }

  for (const [asked, used] of [
    [65535, underlayMtu - 50],
    [10, 68],
  ] as const) {
    test(`takes for vxlanMTU ${asked} what comes nearest, and names the setting`, async () => {
      await configure({ vxlanMTU: asked });
      await until(() => tunnel()?.mtu === used, `a tunnel with packets of ${used} bytes`);
      await takesPod(`mtu-${asked}`);
      assert.match(
        log(),
        new RegExp(`vxlanMTU is ${asked}, and must be from 68 to 1450 .*; ${used} is used`),
      );
      assert.equal(agents.restarts, 0);
    });
  }

  test('takes in that a port is set right that it cannot have', async () => {
    const port = 4999;
    using taken = InetSocket.open({ namespace, family: 4, type: 'datagram' });
    taken.bind({ address: '0.0.0.0', port });
    await configure({ vxlanPort: port });
    await until(() => /Cannot bring the desired state into the kernel/.test(log()), 'the refusal');
    await configure({});
    await takesPod('port');
    assert.equal(tunnel()?.vxlan?.port, 4789);
    assert.equal(agents.restarts, 0);
  });
});
