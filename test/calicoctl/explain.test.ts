// `calicoctl explain`: what policies decide about a connection, and what they would decide with the staged ones.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  kubernetesNetworkPolicies,
  namespaces,
  networkPolicies,
  pods,
  stagedKubernetesNetworkPolicies,
  stagedNetworkPolicies,
} from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

const apiVersion = 'projectcalico.org/v3';
const metadata = { namespace: 'shop', name: 'db' };

describe('calicoctl explain', () => {
  let cluster: ApiCluster;
  before(async () => {
    cluster = await ApiCluster.start();
    const { store } = cluster;
    await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    for (const [index, name] of ['web', 'db', 'new'].entries()) {
      const { metadata: stored } = await store.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'shop', name, labels: { name } },
        spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'any' }] },
      });
      if (name === 'new') continue;
      const podIPs = [{ ip: `10.1.0.${index + 1}` }, { ip: `fd00:1::${index + 1}` }];
      const status = { phase: 'Running', podIP: podIPs[0]?.ip, podIPs };
      await store.mergePatch(
        pods,
        { namespace: 'shop', name: stored.name },
        { status },
        { subresource: 'status' },
      );
    }
    await store.create(networkPolicies, {
      apiVersion,
      kind: 'NetworkPolicy',
      metadata,
      spec: {
        selector: "name == 'db'",
        types: ['Ingress'],
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [5432] } }],
      },
    });
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const explain = async (words: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.run(['explain', ...words.split(' ')]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const fault = async (words: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.run(['explain', ...words.split(' ')]);
    assert.deepEqual([code, stdout], [1, '']);
    return stderr;
  };

  test('says for both families what is decided, and by which rules', async () => {
    const because = [
      '  No policy selects "shop/web" for egress; profile "kns.shop" allows it',
      '  spec.ingress[0] of NetworkPolicy "shop/db" allows it',
    ];
    assert.equal(
      await explain('shop/web shop/db --port 5432'),
      [
        'TCP 5432 from shop/web (10.1.0.1) to shop/db (10.1.0.2): Allow',
        ...because,
        'TCP 5432 from shop/web (fd00:1::1) to shop/db (fd00:1::2): Allow',
        ...because,
        '',
      ].join('\n'),
    );
    assert.match(
      await explain('web db -n shop --port 80'),
      /db \(10\.1\.0\.2\): Deny\n.*\n {2}"shop\/db" is/,
    );
  });

  test('takes addresses for ends, and ICMP without a port', async () => {
    assert.equal(
      await explain('fd00:1::1 shop/db --protocol ICMP'),
      'ICMPv6 from fd00:1::1 to shop/db (fd00:1::2): Deny\n' +
        '  No policy selects "shop/web" for egress; profile "kns.shop" allows it\n' +
        '  "shop/db" is selected for ingress by NetworkPolicy "shop/db", and no rule of theirs allows it\n',
    );
    assert.match(await explain('192.0.2.1 192.0.2.2 --port 1'), /Allow\n {2}Neither end is a pod/);
  });

  test('says what would be decided if the staged policies were in force, and by which of them', async () => {
    const { store } = cluster;
    await store.create(stagedNetworkPolicies, {
      apiVersion,
      kind: 'StagedNetworkPolicy',
      metadata,
      spec: { selector: "name == 'db'", types: ['Ingress'], ingress: [{ action: 'Deny', protocol: 'TCP' }] },
    });
    const first = (text: string) => text.split('TCP').slice(0, 2).join('TCP');
    assert.equal(
      first(await explain('shop/web shop/db --port 5432')),
      'TCP 5432 from shop/web (10.1.0.1) to shop/db (10.1.0.2): Allow\n' +
        '  No policy selects "shop/web" for egress; profile "kns.shop" allows it\n' +
        '  spec.ingress[0] of NetworkPolicy "shop/db" allows it\n' +
        'With the staged policies it would be Deny:\n' +
        '  No policy selects "shop/web" for egress; profile "kns.shop" allows it\n' +
        '  spec.ingress[0] of StagedNetworkPolicy "shop/db" denies it\n',
    );
    assert.match(
      await explain('shop/db shop/web --port 80'),
      /With the staged policies it would be Allow for the same reasons\n/,
    );
    const { results } = JSON.parse(await explain('10.1.0.1 shop/db --port 5432 -o json'));
    assert.deepEqual(
      results.map(({ reasons, would, ...result }: { reasons: string[]; would: { action: string } }) => [
        result,
        reasons.length,
        would.action,
      ]),
      [
        [
          {
            source: '10.1.0.1',
            destination: '10.1.0.2',
            protocol: 'TCP',
            destinationPort: 5432,
            action: 'Allow',
          },
          2,
          'Deny',
        ],
      ],
    );
    await store.delete(stagedNetworkPolicies, metadata);
  });

  test('names staged policies of Kubernetes’ kind, too', async () => {
    const { store } = cluster;
    await store.create(kubernetesNetworkPolicies, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { podSelector: { matchLabels: { name: 'web' } }, ingress: [{}] },
    });
    await store.create(stagedKubernetesNetworkPolicies, {
      apiVersion,
      kind: 'StagedKubernetesNetworkPolicy',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { podSelector: { matchLabels: { name: 'web' } }, policyTypes: ['Ingress'] },
    });
    assert.match(
      await explain('10.1.0.2 shop/web --port 80'),
      /of policy "shop\/web" allows it\nWith [\s\S]* by StagedKubernetesNetworkPolicy "shop\/web", and no rule/,
    );
  });

  test('refuses what it cannot answer', async () => {
    assert.match(await fault('shop/web shop/none --port 80'), /There is no pod "shop\/none"; an end is/);
    assert.match(await fault('shop/web shop/new --port 80'), /Pod "shop\/new" has no address yet/);
    assert.match(await fault('shop/web shop/db'), /Say which port of TCP .* with --port/);
    assert.match(await fault('10.1.0.1 fd00:1::2 --port 80'), /no addresses of the same family/);
    assert.match(await fault('shop/web shop/db --port 70000'), /whole number from 1 to 65535/);
  });
});
