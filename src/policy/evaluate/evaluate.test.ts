// What the documentation says in so many words, with the answers written by hand. Breadth is for the random clusters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ClusterNetworkPolicyPeer,
  EndpointSlice,
  NetworkPolicy,
  NetworkSet,
  Pod,
  PolicyRule,
} from '../../resources/index.ts';
import { fromCalicoNetworkPolicy } from '../index.ts';
import type { Cluster, Packet } from './cluster.ts';
import { evaluate } from './evaluate.ts';

const pod = (name: string, host: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, labels: { app: name } },
  status: { podIPs: [{ ip: `10.1.0.${host}` }, { ip: `fd00:1::${host}` }] },
});

const ingress = (...rules: PolicyRule[]): NetworkPolicy => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'db' },
  spec: { tier: 'default', selector: 'app == "db"', types: ['Ingress'], ingress: rules },
});

const cluster = (...calicoPolicies: NetworkPolicy[]): Cluster => ({
  namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }],
  pods: [pod('web', 1), pod('db', 2), pod('job', 3)],
  networkPolicies: [],
  calicoPolicies,
});

const slice = (family: 4 | 6, ...addresses: string[]): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { namespace: 'shop', name: `s${family}`, labels: { 'kubernetes.io/service-name': 'front' } },
  addressType: `IPv${family}`,
  endpoints: [{ addresses }],
  ports: [{ name: 'sql', port: 5432 }],
});

const web = { 4: '10.1.0.1', 6: 'fd00:1::1' };
const db = { 4: '10.1.0.2', 6: 'fd00:1::2' };
const job = { 4: '10.1.0.3', 6: 'fd00:1::3' };
const tcp = (source: string, destination: string, destinationPort = 5432): Packet => ({
  source,
  destination,
  protocol: 'TCP',
  sourcePort: 40_000,
  destinationPort,
});

for (const family of [4, 6] as const) {
  test(`a service as source means its endpoints, on whatever port, over IPv${family}`, () => {
    const policy = ingress({ action: 'Allow', source: { services: { name: 'front' } } });
    const given = { ...cluster(policy), endpointSlices: [slice(family, web[family])] };
    assert.equal(evaluate(given, tcp(web[family], db[family], 80)).action, 'Allow');
    assert.equal(evaluate(given, tcp(job[family], db[family], 80)).action, 'Deny');
  });

  test(`a service as destination means its endpoints on its ports, over IPv${family}`, () => {
    const policy: NetworkPolicy = {
      ...ingress(),
      spec: {
        selector: 'app == "web"',
        types: ['Egress'],
        egress: [{ action: 'Allow', destination: { services: { name: 'front', namespace: 'shop' } } }],
      },
    };
    const given = { ...cluster(policy), endpointSlices: [slice(family, db[family])] };
    assert.equal(evaluate(given, tcp(web[family], db[family])).action, 'Allow');
    assert.equal(evaluate(given, tcp(web[family], db[family], 80)).action, 'Deny');
    assert.equal(evaluate(given, tcp(web[family], job[family])).action, 'Deny');
    assert.equal(evaluate({ ...given, endpointSlices: [] }, tcp(web[family], db[family])).action, 'Deny');
  });
}

test('notSelector leaves out of the namespace of the policy, and out of everybody where it has none', () => {
  const other: Pod = { ...pod('spy', 4), metadata: { namespace: 'evil', name: 'spy' } };
  const allows = (source: string, given: Cluster) =>
    evaluate(
      {
        ...given,
        namespaces: [
          ...given.namespaces,
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'evil' } },
        ],
        pods: [...given.pods, other],
      },
      tcp(source, db[4]),
    ).action === 'Allow';
  const policy = ingress({ action: 'Allow', source: { notSelector: 'app == "web"' } });
  const { namespace: _, ...metadata } = policy.metadata;
  const globalPolicy = { ...policy, kind: 'GlobalNetworkPolicy', metadata };
  const sources = [web[4], job[4], '10.1.0.4', '192.0.2.1'];
  assert.deepEqual(
    sources.map((source) => allows(source, cluster(policy))),
    [false, true, false, false],
  );
  assert.deepEqual(
    sources.map((source) => allows(source, { ...cluster(), globalPolicies: [globalPolicy] })),
    [false, true, true, true],
  );
});

test('networks that are left out say nothing about the other version of IP', () => {
  const allows = (family: 4 | 6, ...notNets: string[]) => {
    const policy = ingress({ action: 'Allow', source: { notNets } });
    return evaluate(cluster(policy), tcp(web[family], db[family])).action === 'Allow';
  };
  assert.deepEqual([allows(4, '10.2.0.0/16'), allows(6, '10.2.0.0/16')], [true, false]);
  assert.deepEqual([allows(4, 'fd00:2::/64'), allows(6, 'fd00:2::/64')], [false, true]);
  assert.deepEqual([allows(4, '10.1.0.0/16'), allows(6, '10.1.0.0/16')], [false, false]);
});

test('a named port is one of TCP where the rule says no protocol', () => {
  const ports = (['TCP', 'UDP'] as const).map((protocol) => ({ name: 'sql', containerPort: 5432, protocol }));
  const named = { ...pod('db', 2), spec: { containers: [{ name: 'main', image: 'any', ports }] } };
  const allows = (rule: Omit<PolicyRule, 'action'>) => {
    const given = cluster(ingress({ action: 'Allow', ...rule }));
    return (['TCP', 'UDP'] as const).map((protocol) => {
      const packet = { ...tcp(web[4], db[4]), protocol };
      return evaluate({ ...given, pods: [pod('web', 1), named] }, packet).action === 'Allow';
    });
  };
  assert.deepEqual(allows({ destination: { ports: ['sql'] } }), [true, false]);
  assert.deepEqual(allows({ destination: { notPorts: ['sql'] } }), [false, true]);
  assert.deepEqual(allows({ protocol: 'UDP', destination: { ports: ['sql'] } }), [false, true]);
});

test('a rule about domains accepts nothing, and denies whole what it would deny or pass on in part', () => {
  const everywhere = [{ networks: ['0.0.0.0/0'] }];
  const domains: ClusterNetworkPolicyPeer = { domainNames: ['*.example.com'] };
  const given = (action: 'Accept' | 'Deny' | 'Pass', other: 'Accept' | 'Deny'): Cluster => ({
    ...cluster(),
    clusterPolicies: [
      {
        apiVersion: 'policy.networking.k8s.io/v1alpha2',
        kind: 'ClusterNetworkPolicy',
        metadata: { name: 'domains' },
        spec: {
          tier: 'Admin',
          priority: 1,
          subject: { namespaces: {} },
          egress: [
            { action, to: [...everywhere, domains] },
            { action: other, to: everywhere },
          ],
        },
      },
    ],
  });
  for (const [action, other] of [['Accept', 'Deny'] as const, ['Deny', 'Accept'] as const])
    assert.equal(evaluate(given(action, other), tcp(web[4], db[4])).action, 'Deny');
  assert.equal(evaluate(given('Pass', 'Accept'), tcp(web[4], db[4])).action, 'Deny');
  assert.equal(evaluate(given('Accept', 'Accept'), tcp(web[4], db[4])).action, 'Allow');
});

test('what cannot be understood allows nothing and denies whole, and a policy of whom nobody knows is about everybody', () => {
  const selector = 'app = ';
  const ask = (...rules: PolicyRule[]) => evaluate(cluster(ingress(...rules)), tcp(web[4], db[4])).action;
  assert.equal(ask({ action: 'Allow', source: { selector } }), 'Deny');
  assert.equal(ask({ action: 'Deny', protocol: 'UDP', source: { selector } }, { action: 'Allow' }), 'Deny');
  const policy = { ...ingress(), spec: { ...ingress().spec, selector } };
  assert.equal(evaluate(cluster(policy), tcp(web[4], job[4])).action, 'Deny');
});

test('a named port is that of whoever is selected, and not of another with the same address', () => {
  const ports = [{ name: 'sql', containerPort: 5432 }];
  const policy: NetworkPolicy = {
    ...ingress(),
    spec: {
      selector: 'app == "web"',
      types: ['Egress'],
      egress: [{ action: 'Allow', destination: { selector: 'zone == "a"', ports: ['sql'] } }],
    },
  };
  const ask = (labels: Record<string, string>) => {
    const named = { ...pod('db', 2), spec: { containers: [{ name: 'main', image: 'any', ports }] } };
    named.metadata.labels = { ...named.metadata.labels, ...labels };
    const zone: NetworkSet = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkSet',
      metadata: { namespace: 'shop', name: 'zone', labels: { zone: 'a' } },
      spec: { nets: ['10.1.0.0/24'] },
    };
    const given = { ...cluster(policy), pods: [pod('web', 1), named], networkSets: [zone] };
    return evaluate(given, tcp(web[4], db[4])).action;
  };
  assert.equal(ask({}), 'Deny');
  assert.equal(ask({ zone: 'a' }), 'Allow');
});

test('service accounts are meant by their names, in the namespace of the policy unless it names others', () => {
  const runningAs = (name: string, host: number, namespace: string, serviceAccountName: string): Pod => {
    const { metadata, ...rest } = pod(name, host);
    return { ...rest, metadata: { ...metadata, namespace }, spec: { serviceAccountName, containers: [] } };
  };
  const account = (namespace: string, name: string) => ({
    apiVersion: 'v1' as const,
    kind: 'ServiceAccount' as const,
    metadata: { namespace, name },
  });
  const allowed = (source: NonNullable<PolicyRule['source']>) => {
    const given: Cluster = {
      ...cluster(ingress({ action: 'Allow', source })),
      namespaces: ['shop', 'farm'].map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { name } },
      })),
      pods: [
        pod('db', 2),
        runningAs('one', 4, 'shop', 'robot'),
        runningAs('two', 5, 'shop', 'clerk'),
        runningAs('three', 6, 'shop', 'ghost'),
        runningAs('four', 7, 'farm', 'robot'),
      ],
      serviceAccounts: [account('shop', 'robot'), account('shop', 'clerk'), account('farm', 'robot')],
    };
    return [4, 5, 6, 7].filter((host) => evaluate(given, tcp(`10.1.0.${host}`, db[4])).action === 'Allow');
  };
  const names = ['robot', 'nobody'];
  assert.deepEqual(allowed({ serviceAccounts: { names } }), [4]);
  assert.deepEqual(allowed({ serviceAccounts: { names: ['robot', 'clerk'] } }), [4, 5]);
  assert.deepEqual(allowed({ serviceAccounts: { names }, namespaceSelector: 'all()' }), [4, 7]);
  assert.deepEqual(allowed({ serviceAccounts: { names }, namespaceSelector: 'name == "farm"' }), [7]);
  assert.deepEqual(allowed({ serviceAccounts: { names: ['ghost'] } }), [], 'there is no such account');
  assert.deepEqual(allowed({ serviceAccounts: { names: [] } }), [4, 5, 6, 7], 'none are named');
});

test('a host endpoint has the labels of the service account of its profile', () => {
  const policy = ingress({ action: 'Allow', source: { serviceAccounts: { selector: 'role == "ops"' } } });
  const { namespace: _, ...metadata } = policy.metadata;
  const ask = (role: string, profile: string) =>
    evaluate(
      {
        ...cluster(),
        globalPolicies: [{ ...policy, kind: 'GlobalNetworkPolicy', metadata }],
        serviceAccounts: [
          {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { namespace: 'shop', name: 'robot.1', labels: { role } },
          },
        ],
        hostEndpoints: [
          {
            apiVersion: 'projectcalico.org/v3',
            kind: 'HostEndpoint',
            metadata: { name: 'host' },
            spec: { node: 'node-1', expectedIPs: ['172.30.0.12'], profiles: [profile] },
          },
        ],
      },
      tcp('172.30.0.12', db[4]),
    ).action;
  assert.equal(ask('ops', 'ksa.shop.robot.1'), 'Allow');
  assert.equal(ask('dev', 'ksa.shop.robot.1'), 'Deny');
  assert.equal(ask('ops', 'kns.shop'), 'Deny');
});

test('a rule about HTTP allows nothing, and denies whole what it would deny in part', () => {
  const http = { methods: ['GET'] };
  const allows = cluster(ingress({ action: 'Allow', http }));
  assert.equal(evaluate(allows, tcp(web[4], db[4])).action, 'Deny');
  const denies = cluster(ingress({ action: 'Deny', http }, { action: 'Allow' }));
  assert.equal(evaluate(denies, tcp(web[4], db[4])).action, 'Deny');
  const { faults } = fromCalicoNetworkPolicy(ingress({ action: 'Allow', http }));
  assert.match(faults.join(), /^spec\.ingress\[0\]: HTTP cannot be matched in the kernel/);
});

test('a staged policy decides nothing, and is told what it would decide', () => {
  const draft = { ...ingress(), kind: 'StagedNetworkPolicy' };
  const open = ingress({ action: 'Allow' });
  const ask = (stagedAction: 'Set' | 'Delete' | 'Learn' | 'Ignore', ...policies: NetworkPolicy[]) => {
    const spec = stagedAction === 'Delete' ? { stagedAction } : { ...draft.spec, stagedAction };
    const given = { ...cluster(...policies), stagedPolicies: [{ ...draft, spec }] };
    const { action, pending } = evaluate(given, tcp(web[4], db[4]));
    return [action, pending?.action];
  };
  assert.deepEqual(ask('Set'), ['Allow', 'Deny']);
  assert.deepEqual(ask('Set', open), ['Allow', 'Deny'], 'it takes the place of the policy of its name');
  assert.deepEqual(ask('Learn'), ['Allow', 'Deny']);
  assert.deepEqual(ask('Ignore'), ['Allow', 'Allow']);
  assert.deepEqual(ask('Delete', ingress()), ['Deny', 'Allow']);
  assert.equal('pending' in evaluate(cluster(open), tcp(web[4], db[4])), false);
});

const unsayable: Record<string, PolicyRule> = {
  'ports without a protocol': { action: 'Allow', destination: { ports: [80] } },
  'ports of ICMP': { action: 'Allow', protocol: 'ICMP', destination: { ports: ['web'] } },
  'ICMP types without ICMP': { action: 'Allow', icmp: { type: 8 } },
  'a service beside nets': {
    action: 'Allow',
    source: { services: { name: 'front' }, nets: ['10.0.0.0/8'] },
  },
};
for (const [what, rule] of Object.entries(unsayable)) {
  test(`the reader refuses ${what}, which then allows nothing`, () => {
    const { policy, faults } = fromCalicoNetworkPolicy(ingress(rule));
    assert.deepEqual(policy.ingress, []);
    assert.match(faults.join(), /^spec\.ingress\[0\]: /);
  });
}
