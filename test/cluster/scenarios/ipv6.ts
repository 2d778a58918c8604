// What a cluster of both families does over IPv6: pods of one node and of several, Services through kube-proxy, nodes and their pods, and
// policies, which mean the same there.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { apply, fetchesFrom, isCutOff, podManifest, type RunningPod, readyPods } from '../pods.ts';
import { nodeFetches } from './connectivity.ts';

const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'default' },
  spec,
});
const to = (app: string) => ({ podSelector: { matchLabels: { app } } });
const six = (address: string, port = 8080) => `http://[${address}]:${port}/`;
const four = (address: string) => `http://${address}:8080/`;

/** Pods get addresses of `pool6` besides those of IPv4. Leaves nothing. */
export async function ipv6(t: TestContext, cluster: Cluster, pool6: string): Promise<void> {
  await apply(
    cluster,
    podManifest({ name: 'six-one', node: 'node-1' }),
    podManifest({ name: 'six-two', node: 'node-1' }),
    podManifest({ name: 'six-three', node: 'node-2', labels: { role: 'six' } }),
    podManifest({ name: 'six-four', node: 'node-3', labels: { role: 'six' } }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'six', namespace: 'default' },
      spec: {
        ipFamilies: ['IPv6'],
        selector: { role: 'six' },
        ports: [{ port: 80, targetPort: 'http' }],
      },
    },
  );
  const names = ['six-one', 'six-two', 'six-three', 'six-four'];
  const pods = await readyPods(cluster, names);
  const [one, two, three, last] = names.map((name) => withBoth(pods.get(name)));
  assert.ok(one && two && three && last);
  const service = await cluster.kubectl(['get', 'service', 'six', '--output=jsonpath={.spec.clusterIP}']);
  assert.match(service, /^fd96:/);

  await t.test('every pod has an address of each family', () => {
    const start = pool6.slice(0, pool6.indexOf('::') + 1);
    for (const { ip6 } of [one, two, three, last]) assert.ok(ip6.startsWith(start), ip6);
  });
  await t.test('pod to pod on one node and across nodes, in both directions', async () => {
    await fetchesFrom(cluster, one, six(two.ip6), /^six-two$/);
    await fetchesFrom(cluster, one, six(three.ip6), /^six-three$/);
    await fetchesFrom(cluster, three, six(one.ip6), /^six-one$/);
    await fetchesFrom(cluster, three, six(last.ip6), /^six-four$/);
  });
  await t.test('pod to Service, also from behind it', async () => {
    await fetchesFrom(cluster, one, six(service, 80), /^six-(three|four)$/);
    await fetchesFrom(cluster, three, six(service, 80), /^six-(three|four)$/);
  });
  await t.test('node to its own pod, and to one of another node', async () => {
    await nodeFetches(cluster, 'node-1', six(two.ip6), 'six-two');
    await nodeFetches(cluster, 'node-1', six(three.ip6), 'six-three');
  });

  await t.test(
    'denied: neither family goes through, on one node, across nodes and by the Service',
    async () => {
      await apply(cluster, policy('deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
      await isCutOff(cluster, one, six(two.ip6));
      await isCutOff(cluster, one, six(three.ip6));
      await isCutOff(cluster, one, four(three.ip));
      await isCutOff(cluster, one, six(service, 80));
    },
  );
  await t.test('the node still reaches its own pod', () =>
    nodeFetches(cluster, 'node-1', six(two.ip6), 'six-two'),
  );
  await t.test(
    'what is allowed by labels on both sides goes through, by the Service too, and nothing else',
    async () => {
      await apply(
        cluster,
        policy('from-one', { ...to('six-one'), egress: [{}], policyTypes: ['Egress'] }),
        policy('to-three', {
          ...to('six-three'),
          ingress: [{ from: [to('six-one')], ports: [{ port: 'http', protocol: 'TCP' }] }],
        }),
      );
      await fetchesFrom(cluster, one, six(three.ip6), /^six-three$/);
      await fetchesFrom(cluster, one, six(service, 80), /^six-three$/);
      await isCutOff(cluster, one, six(two.ip6));
      await isCutOff(cluster, two, six(three.ip6));
      await isCutOff(cluster, one, six(last.ip6));
    },
  );
  await t.test('what is allowed by address goes through, but for what is excepted', async () => {
    const ipBlock = { cidr: pool6, except: [`${last.ip6}/128`] };
    await apply(
      cluster,
      policy('from-all', { podSelector: {}, egress: [{}], policyTypes: ['Egress'] }),
      policy('to-two', { ...to('six-two'), ingress: [{ from: [{ ipBlock }] }] }),
    );
    await fetchesFrom(cluster, three, six(two.ip6), /^six-two$/);
    await isCutOff(cluster, last, six(two.ip6));
    // That block says nothing of the other family.
    await isCutOff(cluster, three, four(two.ip));
  });
  await t.test('lifted, both families go through again', async () => {
    await cluster.kubectl(['delete', 'networkpolicy', '--all']);
    await fetchesFrom(cluster, last, six(two.ip6), /^six-two$/);
    await fetchesFrom(cluster, three, four(two.ip), /^six-two$/);
  });
  await cluster.kubectl(['delete', '--now', 'service/six', ...names.map((name) => `pod/${name}`)]);
}

function withBoth(pod: RunningPod | undefined): RunningPod & { readonly ip6: string } {
  const { ip6 } = pod ?? {};
  if (!pod || ip6 === undefined) throw new Error(`The pod "${pod?.name}" has no address of IPv6`);
  return { ...pod, ip6 };
}
