// What a real agent counts: objects that the kernel refuses, each of which is closed while the rest goes in, and repairs of what other
// hands have changed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { closeNamespace, deleteRoute, Nftables, openNamespace, Rtnetlink } from '../../src/kernel/index.ts';
import { namespacePrefix } from '../../src/lab/run/run.ts';
import { kubernetesNetworkPolicies } from '../../src/resources/index.ts';
import { Agents, namespace as podNamespace } from '../../torture/agents/agents.ts';
import { logOf, until } from './agent-at-work.ts';

const node = 'node-1';
const table = { family: 'inet', name: 'calico' } as const;

describe('an agent counts', { timeout: 240_000 }, () => {
  let agents: Agents;
  let path: string;
  let namespace: number;
  let address: string;
  before(async () => {
    agents = await Agents.start({
      id: `test-metrics-${process.pid}`,
      nodes: 1,
      pools: { four: { cidr: '10.78.0.0/24', blockSize: 26, vxlanMode: 'Never' } },
      families: [4],
      environment: { FELIX_PROMETHEUSMETRICSENABLED: 'true', FELIX_PROMETHEUSMETRICSHOST: '127.0.0.1' },
    });
    path = `/run/netns/${namespacePrefix(agents.run.id)}.${node}`;
    namespace = openNamespace(path);
    const pod = await agents.createPod('one', node);
    const containerId = randomBytes(32).toString('hex');
    const sandbox = { pod, node, containerId, namespacePath: agents.makePodNamespace('one') };
    [address = ''] = await agents.call('ADD', sandbox);
  });
  after(async () => {
    if (namespace !== undefined) closeNamespace(namespace);
    await agents?.stop();
  });

  const log = () => logOf(agents, node);
  /** By the line's beginning: `felix_repairs{part="routing"}`. 0 when it is not told. */
  const counted = (series: string): number => {
    const ask = "fetch('http://127.0.0.1:9091/metrics').then((a) => a.text()).then((t) => console.log(t))";
    const text = execFileSync('nsenter', [`--net=${path}`, process.execPath, '-e', ask], {
      encoding: 'utf8',
    });
    const line = text.split('\n').find((one) => one.startsWith(series)) ?? '';
    return Number(line.slice(series.length));
  };
  const policy = (name: string, ports: number) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: podNamespace, name },
    spec: {
      podSelector: {},
      ingress: Array.from({ length: ports }, (_, n) => ({
        from: [{ ipBlock: { cidr: `192.0.2.${n}/32` } }],
        ports: [{ port: n + 1 }],
      })),
    },
  });
  const chains = () => {
    const kernel = Nftables.open({ namespace });
    try {
      return kernel.listChains(table).map(({ name }) => name);
    } finally {
      kernel.close();
    }
  };

  test('a policy that the kernel refuses, names it, and brings in the others', async () => {
    assert.equal(counted('felix_isolated{kind="object"}'), 0);
    agents.refuse(node, { share: 0, seed: 0, ofTable: { name: `${podNamespace}/strange`, most: 8 } });
    await agents.datastore.create(kubernetesNetworkPolicies, policy('strange', 12));
    await agents.datastore.create(kubernetesNetworkPolicies, policy('sound', 1));
    await until(() => counted('felix_isolated{kind="object"}') > 0, 'the count', log);
    await until(() => chains().some((name) => name.endsWith('/sound')), 'the sound policy', log);
    assert.match(log(), /strange/);
    assert.equal(agents.restarts, 0);
  });

  test('repairs of routes', async () => {
    using rtnetlink = Rtnetlink.open({ namespace });
    const find = () => rtnetlink.routes().find(({ destination }) => destination === `${address}/32`);
    const route = find() ?? assert.fail('the pod has no route');
    const before = counted('felix_repairs{part="routing"}');
    rtnetlink.apply(deleteRoute(route));
    await until(() => find() !== undefined, 'the route to come back', log);
    await until(() => counted('felix_repairs{part="routing"}') > before, 'the count', log);
  });
});
