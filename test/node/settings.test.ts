// Settings that the API accepts and the kernel refuses: a real agent comes up all the same, or waits for them to be set right,
// and takes that in without being killed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeNamespace, InetSocket, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { type FelixConfiguration, felixConfigurations } from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { logOf, takePod, until } from './agent-at-work.ts';

const node = 'node-1';
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

  const log = () => logOf(agents, node);
  const configure = async (spec: FelixConfiguration['spec']) => {
    const { metadata, ...rest } = await agents.datastore.get(felixConfigurations, { name: 'default' });
    await agents.datastore.update(felixConfigurations, { ...rest, metadata, spec });
  };
  const tunnel = () => {
    using rtnetlink = Rtnetlink.open({ namespace });
    return rtnetlink.link('vxlan.calico');
  };
  for (const [asked, used] of [
    [65535, underlayMtu - 50],
    [10, 68],
  ] as const) {
    test(`takes for vxlanMTU ${asked} what comes nearest, and names the setting`, async () => {
      await configure({ vxlanMTU: asked });
      await until(() => tunnel()?.mtu === used, `a tunnel with packets of ${used} bytes`, log);
      await takePod(agents, node, `mtu-${asked}`);
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
    await until(() => /Cannot bring the desired state into the kernel/.test(log()), 'the refusal', log);
    await configure({});
    await takePod(agents, node, 'port');
    assert.equal(tunnel()?.vxlan?.port, 4789);
    assert.equal(agents.restarts, 0);
  });
});
