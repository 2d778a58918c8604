// Settings that the API accepts and the kernel refuses: a real agent comes up all the same, or waits for them to be set right,
// and takes that in without being killed.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { closeNamespace, InetSocket, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { type FelixConfiguration, felixConfigurations, ipPools } from '../../src/resources/index.ts';
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

  /** What a page of the agent's says to a program on its node; nothing while it is not served. */
  const page = async (port: number, path: string): Promise<string> => {
    const asked = agents.onNode(node)(() =>
      promisify(execFile)('curl', ['-s', '-w', '%{http_code}', `http://localhost:${port}${path}`]),
    );
    return asked.then(
      ({ stdout }) => stdout,
      () => '',
    );
  };
  const pageSays = async (port: number, path: string, words: RegExp) => {
    for (const start = Date.now(); ; await delay(50)) {
      const text = await page(port, path);
      if (words.test(text)) return;
      if (Date.now() - start > 60_000) assert.fail(`Waited for ${path} to say ${words}: ${text}\n${log()}`);
    }
  };
  const observed = { healthEnabled: true, prometheusMetricsEnabled: true };
  const taken = (port: number) => {
    const socket = InetSocket.open({ namespace, family: 4, type: 'datagram' });
    socket.bind({ address: '0.0.0.0', port });
    return socket;
  };

  test('serves pods while a port is not to be had, says so once, and has its tunnel when the port is free', async () => {
    const port = 4998;
    const at = log().length;
    const told = () =>
      log()
        .slice(at)
        .match(/vxlanPort 4998\).*Another program has UDP port 4998/g) ?? [];
    {
      using _ = taken(port);
      await configure({ ...observed, vxlanPort: port });
      await until(() => told().length > 0, 'the refusal', log);
      await takePod(agents, node, 'without-tunnel');
      await pageSays(9099, '/readiness', /has no IPv4 tunnel \(vxlanVNI 4096, vxlanPort 4998\)[\s\S]*503$/);
      await pageSays(9099, '/liveness', /200$/);
      await pageSays(9091, '/metrics', /felix_overlay_faults\{family="IPv4",extent="all"\} 1/);
      assert.equal(told().length, 1);
      assert.equal(tunnel(), undefined);
    }
    await until(() => tunnel()?.vxlan?.port === port, 'the tunnel', log);
    await pageSays(9099, '/readiness', /200$/);
    assert.doesNotMatch(await page(9091, '/metrics'), /felix_overlay_faults\{/);
    assert.equal(agents.restarts, 0);
  });

  test('has its tunnel by its former port when the setting is taken back', async () => {
    const port = 4999;
    using _ = taken(port);
    await configure({ ...observed, vxlanPort: port });
    await until(() => /Another program has UDP port 4999/.test(log()), 'the refusal', log);
    await configure(observed);
    await until(() => tunnel()?.vxlan?.port === 4789, 'the tunnel', log);
    await pageSays(9099, '/readiness', /200$/);
    await takePod(agents, node, 'port');
    assert.equal(agents.restarts, 0);
  });

  test('serves pods while its routes to them are to have a source that it does not have, and takes it when it has', async () => {
    const source = '192.0.2.7';
    const at = log().length;
    await configure({ deviceRouteSourceAddress: source });
    const said = () =>
      log().slice(at).includes(`deviceRouteSourceAddress is ${source}, which is no address of`);
    await until(said, 'the setting to be named', log);
    await takePod(agents, node, 'no-source');
    const change = (command: 'add' | 'del') => {
      const prefix = namespacePrefix(agents.run.id);
      execFileSync('ip', ['-n', `${prefix}.${node}`, 'address', command, `${source}/32`, 'dev', 'lo']);
    };
    const starts = () =>
      log()
        .slice(at)
        .match(/Starting anew: the source of the node's routes/g)?.length ?? 0;
    change('add');
    await until(() => starts() === 1, 'a new start', log);
    await takePod(agents, node, 'source');
    change('del');
    await until(() => starts() === 2, 'another start', log);
    await takePod(agents, node, 'no-source-again');
    await configure({});
    assert.equal(agents.restarts, 0);
  });

  test('has no tunnel of an earlier start when no pool wants one, nor its address', async () => {
    const pool = await agents.datastore.get(ipPools, { name: 'four' });
    assert.ok(tunnel());
    await agents.datastore.update(ipPools, { ...pool, spec: { ...pool.spec, vxlanMode: 'Never' } });
    await until(() => tunnel() === undefined, 'the tunnel to go', log);
    await takePod(agents, node, 'plain');
    const changed = await agents.datastore.get(ipPools, { name: 'four' });
    await agents.datastore.update(ipPools, { ...changed, spec: { ...changed.spec, vxlanMode: 'Always' } });
    await until(() => tunnel() !== undefined, 'the tunnel to come back', log);
    assert.equal(agents.restarts, 0);
  });
});
