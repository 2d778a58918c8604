// Pools that want a tunnel of a node and give it no address for one: a real agent goes on without, and takes it up when it can.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeNamespace, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { type IPPoolSpec, ipPools } from '../../src/resources/index.ts';
import { Agents } from '../../torture/agents/agents.ts';
import { logOf, takePod, until } from './agent-at-work.ts';

const nodes = ['node-1', 'node-2'] as const;
const plain = { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Never' } as const;

describe('agents whose pools give no address for a tunnel', { timeout: 240_000 }, () => {
  let agents: Agents;
  before(async () => {
    const id = `test-tunnels-${process.pid}`;
    agents = await Agents.start({ id, nodes: nodes.length, pools: { four: plain }, families: [4] });
  });
  after(() => agents?.stop());

  const change = async (name: string, spec: IPPoolSpec | undefined) => {
    if (!spec) await agents.datastore.delete(ipPools, { name });
    else {
      const kind = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool' };
      await agents.datastore.create(ipPools, { ...kind, metadata: { name }, spec });
    }
  };
  const allLogs = () => nodes.map((node) => logOf(agents, node)).join('\n');
  const without = (why: string) => () =>
    nodes.filter((node) => logOf(agents, node).includes(`goes on without its IPv4 tunnel: ${why}`));
  const tunnels = (range: string) => nodes.filter((node) => addressOf(agents, node)?.startsWith(range));

  test('one for workloads only kills nobody, and another one for tunnels gives them', async () => {
    await change('wl', { cidr: '10.90.0.0/24', vxlanMode: 'Always', allowedUses: ['Workload'] });
    const named = without('Cannot find an IPv4 pool for a tunnel: \\"wl\\" is for Workload only');
    await until(() => named().length === 2, 'both to name the pool', allLogs);
    for (const node of nodes) agents.kill(node);
    for (const node of nodes) assert.match((await takePod(agents, node, `a-${node}`)).join(), /^10\.78\./);
    assert.deepEqual([tunnels(''), agents.restarts], [[], 2]);
    await change('tun', { cidr: '10.91.0.0/24', vxlanMode: 'Always', allowedUses: ['Tunnel'] });
    await until(() => tunnels('10.91.').length === 2, 'tunnels', allLogs);
    assert.equal(agents.restarts, 2);
    await change('tun', undefined);
    await change('wl', undefined);
  });

  test('one that has an address for one of them alone kills nobody, and serves the other when it has more', async () => {
    const before = agents.restarts;
    await change('tiny', { cidr: '10.92.0.0/32', blockSize: 32, vxlanMode: 'Always' });
    const named = without('Cannot assign 1 IPv4 address');
    await until(() => named().length === 1 && tunnels('10.92.').length === 1, 'one to go without', allLogs);
    const [lacking = assert.fail(`none goes without: ${allLogs()}`)] = named();
    agents.kill(lacking);
    assert.match((await takePod(agents, lacking, 'full')).join(), /^10\.78\./);
    assert.deepEqual(tunnels('10.93.'), []);
    await change('more', { cidr: '10.93.0.0/30', blockSize: 30, vxlanMode: 'Always' });
    await until(() => tunnels('10.93.').length === 1, 'the other tunnel', allLogs);
    assert.equal(agents.restarts - before, 1);
  });
});

/** The address of its tunnel. */
function addressOf(agents: Agents, node: string): string | undefined {
  const namespace = openNamespace(`/run/netns/${namespacePrefix(agents.run.id)}.${node}`);
  try {
    using rtnetlink = Rtnetlink.open({ namespace });
    const device = rtnetlink.link('vxlan.calico');
    return rtnetlink.addresses().find(({ link, scope }) => link === device?.index && scope === 0)?.address;
  } finally {
    closeNamespace(namespace);
  }
}
