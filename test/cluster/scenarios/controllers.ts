// What calico-kube-controllers does besides collecting addresses: addresses for load balancers, host endpoints for nodes, tiers.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { addressesGivenTo } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { apply } from '../pods.ts';

const api = 'projectcalico.org/v3';

export async function controllers(t: TestContext, cluster: Cluster): Promise<void> {
  const read = (what: string, path: string) =>
    cluster.kubectl(['get', ...what.split(' '), '--ignore-not-found', `--output=jsonpath=${path}`]);

  await t.test('a load balancer gets an address of its pool, and gives it back', async () => {
    await apply(
      cluster,
      {
        apiVersion: api,
        kind: 'IPPool',
        metadata: { name: 'load-balancers' },
        spec: {
          cidr: '10.99.0.0/28',
          blockSize: 29,
          assignmentMode: 'Automatic',
          allowedUses: ['LoadBalancer'],
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'balanced', namespace: 'default' },
        spec: { type: 'LoadBalancer', selector: { role: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
      },
    );
    const address = await eventually('the Service has an address', async () => {
      const text = await read('service balanced', '{.status.loadBalancer.ingress[0].ip}');
      return /^10\.99\.0\.\d+$/.test(text) && text;
    });
    const holder = async () => (await addressesGivenTo('service', cluster)).get(address);
    assert.equal(await holder(), 'default/balanced');
    await cluster.kubectl(['delete', 'service', 'balanced', '--timeout=60s']);
    await eventually('the address is free', async () => (await holder()) === undefined);
    // Its finalizer goes when no block is left.
    await cluster.kubectl(['delete', 'ippool', 'load-balancers', '--timeout=60s']);
  });

  await t.test('nodes have host endpoints when they are asked for, with their labels', async () => {
    const choose = (autoCreate: string) =>
      cluster.kubectl([
        'patch',
        'kubecontrollersconfiguration',
        'default',
        '--type=merge',
        `--patch=${JSON.stringify({ spec: { controllers: { node: { hostEndpoint: { autoCreate } } } } })}`,
      ]);
    const endpoint = 'hostendpoint node-1-auto-hep';
    await choose('Enabled');
    await eventually('node-1 has one', async () => (await read(endpoint, '{.spec.node}')) === 'node-1');
    await cluster.kubectl(['label', 'node', 'node-1', 'rack=seven']);
    await eventually(
      'it has the label',
      async () => (await read(endpoint, '{.metadata.labels.rack}')) === 'seven',
    );
    await cluster.kubectl(['label', 'node', 'node-1', 'rack-']);
    await choose('Disabled');
    await eventually('it is gone', async () => (await read(endpoint, '{.spec.node}')) === '');
  });

  await t.test('a tier stays until its last policy is gone; a built-in one is made again', async () => {
    await apply(
      cluster,
      { apiVersion: api, kind: 'Tier', metadata: { name: 'security' }, spec: { order: 100 } },
      {
        apiVersion: api,
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'security.nothing' },
        spec: { tier: 'security', selector: 'app == "nobody"', types: ['Ingress'] },
      },
    );
    await eventually('the tier is kept', async () =>
      (await read('tier security', '{.metadata.finalizers}')).includes('projectcalico.org'),
    );
    await cluster.kubectl(['delete', 'tier', 'security', '--wait=false']);
    await cluster.kubectl(['delete', 'globalnetworkpolicy', 'security.nothing']);
    await eventually('the tier is gone', async () => (await read('tier security', '{.spec.order}')) === '');
    const before = await read('tier kube-baseline', '{.metadata.uid}');
    await cluster.kubectl(['delete', 'tier', 'kube-baseline', '--wait=false']);
    await eventually('kube-baseline is there again', async () => {
      const uid = await read('tier kube-baseline', '{.metadata.uid}');
      return uid !== '' && uid !== before;
    });
  });
}
