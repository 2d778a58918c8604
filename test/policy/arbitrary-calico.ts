// Random policies of Calico's own kinds and of ClusterNetworkPolicy, with tiers and sets, over the names, labels, ports and
// addresses of arbitrary-cluster.ts. Everything is valid by the API's rules.
import fc from 'fast-check';
import type {
  ClusterNetworkPolicy,
  EndpointSlice,
  EntityRule,
  GlobalNetworkPolicy,
  GlobalNetworkSet,
  LabelSelector,
  NetworkPolicy,
  NetworkSet,
  Node,
  PolicyRule,
  ServiceAccount,
  StagedGlobalNetworkPolicy,
  StagedNetworkPolicy,
  Tier,
} from '../../src/resources/index.ts';
import { hostPlace } from './arbitrary-host-endpoints.ts';
import { accountNames, derivedKeys } from './arbitrary-labels.ts';

export interface Names {
  readonly namespaces: readonly string[];
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

const apiVersion = 'projectcalico.org/v3';
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
/** Fields that are undefined are left out, as the API does. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;

const tierNames = ['first', 'default', 'second'];
const serviceNames = ['front', 'back'];

function selectorText({ keys, values }: Names): fc.Arbitrary<string> {
  const key = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...keys) },
    { weight: 1, arbitrary: fc.constantFrom(...derivedKeys) },
  );
  const value = fc.constantFrom(...values);
  const leaf = fc.oneof(
    fc.constantFrom('all()', 'all( )'),
    key.map((name) => `has(${name})`),
    fc
      .tuple(key, fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'), value)
      .map(([k, op, v]) => `${k} ${op} '${v}'`),
    fc
      .tuple(key, fc.constantFrom('in', 'not in'), fc.uniqueArray(value, { maxLength: 2 }))
      .map(([k, op, vs]) => `${k} ${op} {${vs.map((v) => `"${v}"`).join(', ')}}`),
  );
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: leaf.map((text) => `!(${text})`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `${a} && ${b}`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `(${a}) || ${b}`) },
  );
}

const nets = {
  4: fc.constantFrom('10.1.0.0/29', '10.1.0.2/31', '10.1.0.4', '10.0.0.0/8'),
  6: fc.constantFrom('fd00:1::/125', 'fd00:1::2/127', 'fd00:1::4', 'fd00::/16'),
};

function entity(names: Names, family: 4 | 6, ports: 'none' | 'named' | 'all'): fc.Arbitrary<EntityRule> {
  const selector = selectorText(names);
  const port =
    ports === 'all'
      ? fc.constantFrom<(number | string)[]>(80, 81, '80:82', 'web', 'dns')
      : fc.constantFrom<(number | string)[]>('web', 'dns');
  const portList =
    ports === 'none' ? fc.constant(undefined) : some(fc.uniqueArray(port, { minLength: 1, maxLength: 3 }));
  return (
    fc
      .record({
        nets: some(fc.uniqueArray(nets[family], { minLength: 1, maxLength: 2 })),
        notNets: some(fc.uniqueArray(nets[family], { minLength: 1, maxLength: 2 })),
        selector: some(selector),
        notSelector: some(selector),
        namespaceSelector: some(fc.oneof(selector, fc.constant('global()'))),
        serviceAccounts: some(
          fc
            .record({
              // One that nobody runs as, too.
              names: some(fc.shuffledSubarray([...accountNames, 'clerk'], { minLength: 1, maxLength: 2 })),
              selector: some(selector),
            })
            .map(compact),
        ),
        ports: portList,
        notPorts: portList,
      })
      // Few conditions at a time, or nothing ever matches.
      .chain((all) => {
        const present = Object.entries(all).filter(([, field]) => field !== undefined);
        return fc
          .subarray(present, { maxLength: Math.min(2, present.length) })
          .map((kept) => Object.fromEntries(kept) as EntityRule);
      })
  );
}

/** Where a policy of the kind may name a service: whoever is at the other end of its own endpoints. */
interface Place {
  readonly side: 'ingress' | 'egress';
  readonly namespaced: boolean;
}

function service({ namespaces }: Names, { namespaced }: Place): fc.Arbitrary<EntityRule> {
  const namespace = fc.constantFrom(...namespaces);
  return fc
    .record({ name: fc.constantFrom(...serviceNames), namespace: namespaced ? some(namespace) : namespace })
    .map((services) => ({ services: compact(services) }) as EntityRule);
}

/** Nobody here looks into requests: such rules allow nothing. */
const overHttp = [
  { action: 'Allow', http: { methods: ['GET'] } },
  { action: 'Allow', protocol: 'TCP', http: { paths: [{ prefix: '/' }] } },
] satisfies Partial<PolicyRule>[];

function rule(names: Names, place: Place): fc.Arbitrary<PolicyRule> {
  const action = fc.constantFrom(
    'Allow' as const,
    'Allow' as const,
    'Deny' as const,
    'Pass' as const,
    'Log' as const,
  );
  return fc.constantFrom(4 as const, 6 as const).chain((family) => {
    const shape = (protocol: fc.Arbitrary<Partial<PolicyRule>>, ports: 'none' | 'named' | 'all') =>
      fc
        .record({
          action,
          protocol,
          source: some(entity(names, family, ports)),
          destination: some(entity(names, family, ports)),
        })
        .map(
          ({ action: does, protocol: what, source, destination }) =>
            compact({ action: does, ...what, source, destination }) as PolicyRule,
        );
    const other = place.side === 'ingress' ? 'source' : 'destination';
    const ofService = fc
      .record({ does: action, who: service(names, place), what: some(fc.constantFrom('TCP', 'UDP', 132)) })
      .map(({ does, who, what }) => compact({ action: does, protocol: what, [other]: who }) as PolicyRule);
    return fc.oneof(
      shape(
        fc.constantFrom<Partial<PolicyRule>[]>(
          {},
          { ipVersion: family },
          { notProtocol: 'TCP' },
          { notProtocol: 17 },
          { notProtocol: 'UDPLite' },
          { notICMP: { type: 8 } },
          { notICMP: { type: 128, code: 0 } },
        ),
        'none',
      ),
      { weight: 2, arbitrary: ofService },
      ...(place.side === 'ingress'
        ? [shape(fc.constantFrom<Partial<PolicyRule>[]>(...overHttp), 'none')]
        : []),
      shape(fc.constant({}), 'named'),
      shape(fc.constantFrom({ protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 132 }), 'all'),
      shape(
        fc.constantFrom<Partial<PolicyRule>[]>(
          { protocol: 'ICMP' },
          { protocol: 'ICMP', icmp: { type: 8 } },
          { protocol: 'ICMP', icmp: { type: 8, code: 1 } },
          { protocol: 'ICMPv6', icmp: { type: 128, code: 0 } },
          { protocol: 'ICMP', notICMP: { type: 8, code: 0 } },
          { protocol: 'ICMPv6', notICMP: { type: 128 } },
          { protocol: 58 },
        ),
        'none',
      ),
    );
  });
}

function policyFields(names: Names, namespaced: boolean) {
  const rules = (side: 'ingress' | 'egress') => fc.array(rule(names, { side, namespaced }), { maxLength: 3 });
  return {
    tier: some(fc.constantFrom(...tierNames, 'undefined-tier')),
    order: some(fc.constantFrom(500, 1000, 2000)),
    selector: some(selectorText(names)),
    serviceAccountSelector: some(selectorText(names)),
    types: some(fc.constantFrom<('Ingress' | 'Egress')[][]>(['Ingress'], ['Egress'], ['Ingress', 'Egress'])),
    ingress: some(rules('ingress')),
    egress: some(rules('egress')),
  };
}

export const calicoPolicy = (names: Names): fc.Arbitrary<NetworkPolicy> =>
  fc
    .record({
      namespace: fc.constantFrom(...names.namespaces),
      name: fc.constantFrom('c1', 'c2', 'c3'),
      spec: fc.record(policyFields(names, true)),
    })
    .map(({ namespace, name, spec }) => ({
      apiVersion,
      kind: 'NetworkPolicy',
      metadata: { namespace, name },
      spec: compact(spec) as NetworkPolicy['spec'],
    }));

export const globalPolicy = (names: Names): fc.Arbitrary<GlobalNetworkPolicy> =>
  fc
    .record({
      name: fc.constantFrom('g1', 'g2', 'g3'),
      spec: fc.record({
        ...policyFields(names, false),
        namespaceSelector: some(selectorText(names)),
      }),
      place: hostPlace,
    })
    .map(({ name, spec, place }) => ({
      apiVersion,
      kind: 'GlobalNetworkPolicy',
      metadata: { name },
      spec: place(compact(spec) as GlobalNetworkPolicy['spec']),
    }));

/** Drafts, some of them of policies that are there. */
export const stagedPolicy = (names: Names): fc.Arbitrary<StagedNetworkPolicy | StagedGlobalNetworkPolicy> =>
  fc
    .tuple(
      fc.oneof(calicoPolicy(names), globalPolicy(names)),
      fc.constantFrom('Set' as const, 'Set' as const, 'Delete' as const, 'Ignore' as const, undefined),
    )
    .map(
      ([policy, stagedAction]) =>
        ({
          ...policy,
          kind: `Staged${policy.kind}`,
          spec:
            stagedAction === 'Delete'
              ? compact({ tier: policy.spec.tier, stagedAction })
              : compact({ ...policy.spec, stagedAction }),
        }) as StagedNetworkPolicy | StagedGlobalNetworkPolicy,
    );

/** Of one family each, over the pods' addresses, an address of nobody among them. */
export const endpointSlice = ({ namespaces }: Names): fc.Arbitrary<EndpointSlice> =>
  fc
    .record({
      namespace: fc.constantFrom(...namespaces),
      service: fc.constantFrom(...serviceNames),
      family: fc.constantFrom(4 as const, 6 as const),
      hosts: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
      ports: fc.constantFrom<NonNullable<EndpointSlice['ports']>[]>(
        [],
        [{ name: 'web', port: 80 }],
        [
          { name: 'web', port: 81, protocol: 'TCP' },
          { name: 'dns', port: 80, protocol: 'UDP' },
        ],
        [{ name: 'sig', port: 80, protocol: 'SCTP' }, { name: 'all' }],
      ),
    })
    .map(({ namespace, service: name, family, hosts, ports }) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        namespace,
        name: `${name}-${family}`,
        labels: { 'kubernetes.io/service-name': name },
      },
      addressType: `IPv${family}`,
      endpoints: hosts.map((host) => ({ addresses: [family === 4 ? `10.1.0.${host}` : `fd00:1::${host}`] })),
      ports,
    }));

export const tier: fc.Arbitrary<Tier> = fc
  .record({
    name: fc.constantFrom('first', 'second'),
    order: some(fc.constantFrom(10, 20, 2_000_000)),
    defaultAction: some(fc.constantFrom('Pass' as const, 'Deny' as const)),
  })
  .map(({ name, ...spec }) => ({
    apiVersion,
    kind: 'Tier',
    metadata: { name },
    spec: compact(spec) as Tier['spec'],
  }));

const setNets = fc.uniqueArray(fc.oneof(nets[4], nets[6]), { maxLength: 4 });

export const networkSet = (
  names: Names,
  labels: fc.Arbitrary<Record<string, string>>,
): fc.Arbitrary<NetworkSet | GlobalNetworkSet> =>
  fc
    .record({
      namespace: some(fc.constantFrom(...names.namespaces)),
      name: fc.constantFrom('s1', 's2'),
      labels,
      list: setNets,
    })
    .map(({ namespace, name, labels: own, list }): NetworkSet | GlobalNetworkSet => ({
      apiVersion,
      kind: namespace ? 'NetworkSet' : 'GlobalNetworkSet',
      metadata: compact({ name, namespace, labels: own }) as { name: string },
      spec: { nets: list },
    }));

export const serviceAccount = (
  names: Names,
  labels: fc.Arbitrary<Record<string, string>>,
): fc.Arbitrary<ServiceAccount> =>
  fc
    .record({
      namespace: fc.constantFrom(...names.namespaces),
      name: fc.constantFrom(...accountNames),
      labels,
    })
    .map(({ namespace, name, labels: own }) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name, labels: own },
    }));

/** Nodes have addresses among the pods' nets, so that rules about nodes meet rules about nets. */
export const nodeObject = (
  name: string,
  index: number,
  labels: fc.Arbitrary<Record<string, string>>,
): fc.Arbitrary<Node> =>
  labels.map((own) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: own },
    status: { addresses: [{ type: 'InternalIP', address: `172.30.0.1${index}` }] },
  }));

export function clusterPolicy(
  labelSelector: fc.Arbitrary<LabelSelector>,
): fc.Arbitrary<ClusterNetworkPolicy> {
  const subject = fc.oneof(
    labelSelector.map((namespaces) => ({ namespaces })),
    fc.record({ namespaceSelector: labelSelector, podSelector: labelSelector }).map((pods) => ({ pods })),
  );
  const port = fc.constantFrom(
    { destinationPort: { range: { start: 1, end: 65535 } } },
    { destinationPort: { number: 80 } },
    { destinationPort: { range: { start: 80, end: 81 } } },
  );
  const protocols = some(
    fc.array(
      fc.oneof(
        port.map((tcp) => ({ tcp })),
        port.map((udp) => ({ udp })),
        port.map((sctp) => ({ sctp })),
        fc.constantFrom({ destinationNamedPort: 'web' }, { destinationNamedPort: 'dns' }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  );
  const action = fc.constantFrom('Accept' as const, 'Deny' as const, 'Pass' as const);
  const egressPeer = fc.oneof(
    subject,
    fc
      .uniqueArray(fc.constantFrom('10.1.0.0/29', '10.1.0.4/32', 'fd00:1::/125'), {
        minLength: 1,
        maxLength: 2,
      })
      .map((networks) => ({ networks })),
    labelSelector.map((nodes) => ({ nodes })),
  );
  const ingress = fc
    .record({ action, from: fc.array(subject, { minLength: 1, maxLength: 2 }), protocols })
    .map(compact);
  const egress = fc
    .record({ action, to: fc.array(egressPeer, { minLength: 1, maxLength: 2 }), protocols })
    .map(compact);
  return fc
    .record({
      name: fc.constantFrom('k1', 'k2', 'k3'),
      spec: fc.record({
        tier: fc.constantFrom('Admin' as const, 'Baseline' as const),
        priority: fc.constantFrom(0, 10, 20),
        subject,
        ingress: some(fc.array(ingress, { maxLength: 2 })),
        egress: some(fc.array(egress, { maxLength: 2 })),
      }),
    })
    .map(({ name, spec }) => ({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name },
      spec: compact(spec) as ClusterNetworkPolicy['spec'],
    }));
}
