// Objects as no API takes them and as a store may hold them all the same: of a sound one, one thing is spoiled. Both readings must
// make the same of it. What has another type than it should be never comes to them, and is not here.
import fc from 'fast-check';
import type {
  ClusterNetworkPolicy,
  ClusterNetworkPolicyPeer,
  ClusterNetworkPolicyRule,
  EntityRule,
  GlobalNetworkPolicy,
  GlobalNetworkSet,
  HostEndpoint,
  NetworkPolicy,
  NetworkSet,
  PolicyRule,
} from '../../src/resources/index.ts';

/** One in so many objects is spoiled. */
const oneIn = 12;

const noSelectors = [
  'app ==',
  "app = 'a'",
  "app == 'a' &&",
  "|| app == 'a'",
  "(app == 'a'",
  "app == 'a')",
  'all()) || (all()',
  '(all()) (all())',
  "app in {'a'",
  "app == 'a",
  'app == a',
  "'app' == 'a'",
  'has(app) has(tier)',
  "app\n== 'a'",
  'has(app',
  'has()',
  'has (app)',
  '!',
  'app',
  'all() && && all()',
];
const noNets = [
  'junk',
  'junk/0',
  '10.1.0.300',
  '10.1.0.0/33',
  '10.1.0.0/',
  '10.1.0/24',
  '010.1.0.1',
  'fd00::1::2',
  'fd00:1::/129',
];
const noPorts = [70000, '82:80', '80:70000', 'no port', ''];

type Spoil<T> = (sound: T) => T;
type Loose = Record<string, unknown>;

const field =
  <T>(fields: Loose): Spoil<T> =>
  (sound) =>
    ({ ...sound, ...fields }) as T;

const spoiltText = (names: readonly string[]) =>
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...noSelectors, 'global()', 'all() || global()'));

const ofEnd = (fields: Loose) => field<EntityRule | undefined>(fields);

const end: fc.Arbitrary<Spoil<EntityRule | undefined>> = fc.oneof(
  spoiltText(['selector', 'notSelector', 'namespaceSelector']).map(([name, text]) => ofEnd({ [name]: text })),
  fc.constantFrom(...noSelectors).map((selector) => ofEnd({ serviceAccounts: { selector } })),
  fc
    .tuple(fc.constantFrom('nets', 'notNets'), fc.constantFrom(...noNets))
    .map(([name, net]) => ofEnd({ [name]: ['10.1.0.0/29', net] })),
  fc
    .tuple(
      fc.constantFrom('ports', 'notPorts'),
      fc.constantFrom<(number | string)[]>(...noPorts, 80, '80:81', 'web'),
    )
    .map(([name, port]) => ofEnd({ [name]: [port] })),
  fc
    .constantFrom<Loose[]>({}, { name: '' }, { name: 'front' }, { name: 'front', namespace: 'red' })
    .map((services) => ofEnd({ services })),
);

const rule: fc.Arbitrary<Spoil<PolicyRule>> = fc.oneof(
  fc
    .constantFrom<Loose[]>(
      { action: 'Refuse' },
      { action: 'allow' },
      { protocol: 'constructor' },
      { protocol: 'tcp' },
      { protocol: '' },
      { protocol: 300 },
      { protocol: '300' },
      { protocol: '6' },
      { notProtocol: 'None' },
      { notProtocol: '' },
      { notProtocol: 0 },
      { ipVersion: 5 },
      { ipVersion: 0 },
      { protocol: 'TCP', icmp: { type: 8 } },
      { icmp: { code: 1 } },
      { protocol: 'ICMP', icmp: { type: 264 } },
      { protocol: 'ICMP', notICMP: { type: 8, code: 256 } },
      { notICMP: { type: -1 } },
      { http: {} },
      { http: { methods: ['GET'] } },
    )
    .map((fields) => field<PolicyRule>(fields)),
  fc
    .tuple(fc.constantFrom('source' as const, 'destination' as const), end)
    .map(([name, spoil]) => (sound: PolicyRule) => ({ ...sound, [name]: spoil(sound[name]) })),
);

type Spec = NetworkPolicy['spec'] | GlobalNetworkPolicy['spec'];

/** Of every rule of one direction: which of them decides is not known here. */
const ofRules = fc.tuple(fc.constantFrom('ingress' as const, 'egress' as const), rule, fc.nat(2)).map(
  ([side, spoil, at]) =>
    (sound: Spec): Spec => ({
      ...sound,
      [side]: (sound[side] ?? []).map((one, index, { length }) => (index === at % length ? spoil(one) : one)),
    }),
);

const ofPolicy: fc.Arbitrary<Spoil<Spec>> = fc.oneof(
  { weight: 4, arbitrary: ofRules },
  {
    weight: 1,
    arbitrary: spoiltText(['selector', 'serviceAccountSelector']).map(([name, text]) =>
      field<Spec>({ [name]: text }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<Loose[]>(
        { types: ['Sideways'] },
        { types: ['Ingress', 'Sideways'] },
        { types: [] },
        { types: ['egress'] },
        { tier: '' },
      )
      .map((fields) => field<Spec>(fields)),
  },
);

const ofGlobalPolicy: fc.Arbitrary<Spoil<Spec>> = fc.oneof(
  { weight: 6, arbitrary: ofPolicy },
  {
    weight: 1,
    arbitrary: spoiltText(['namespaceSelector']).map(([name, text]) => field<Spec>({ [name]: text })),
  },
  { weight: 1, arbitrary: fc.constant(field<Spec>({ doNotTrack: true, preDNAT: true })) },
);

const strangeSelector = { matchExpressions: [{ key: 'app', operator: 'Equals', values: ['a'] }] };
/** Domains are taken by clusters that have the experimental definition. */
const noPeers: Loose[] = [
  {},
  { domainNames: ['*.example.com'] },
  { domainNames: ['example.com', '*.example.org'] },
  { networks: [] },
  { networks: ['10.1.0.4'] },
  { networks: ['10.1.0.0/29', '10.1.0.0/40'] },
  { namespaces: strangeSelector },
  { pods: { podSelector: strangeSelector } },
  { pods: { namespaceSelector: strangeSelector } },
  { nodes: strangeSelector },
];
const noProtocols: Loose[] = [
  {},
  { tcp: { destinationPort: { number: 70000 } } },
  { udp: { destinationPort: { range: { start: 82, end: 80 } } } },
  { sctp: { destinationPort: { range: { start: 80, end: 70000 } } } },
];

const clusterRule = (list: 'from' | 'to'): fc.Arbitrary<Spoil<ClusterNetworkPolicyRule>> =>
  fc.oneof(
    fc
      .constantFrom<Loose[]>(
        { action: 'Allow' },
        { action: 'constructor' },
        { [list]: [] },
        { [list]: undefined },
      )
      .map((fields) => field<ClusterNetworkPolicyRule>(fields)),
    fc.constantFrom(...noPeers).map((peer) => (sound: ClusterNetworkPolicyRule) => ({
      ...sound,
      [list]: [...(sound[list] ?? []), peer as ClusterNetworkPolicyPeer],
    })),
    fc
      .constantFrom(...noProtocols)
      .map((protocol) => field<ClusterNetworkPolicyRule>({ protocols: [protocol] })),
  );

const ofClusterPolicy: fc.Arbitrary<Spoil<ClusterNetworkPolicy['spec']>> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(['ingress', 'from'] as const, ['egress', 'to'] as const)
      .chain(([side, list]) =>
        clusterRule(list).map((spoil) => (sound: ClusterNetworkPolicy['spec']) => ({
          ...sound,
          [side]: (sound[side] ?? []).map((one, index) => (index === 0 ? spoil(one) : one)),
        })),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<Loose[]>(
        { subject: {} },
        { subject: { namespaces: strangeSelector } },
        { subject: { pods: { podSelector: strangeSelector } } },
        { tier: 'Other' },
      )
      .map((fields) => field<ClusterNetworkPolicy['spec']>(fields)),
  },
);

const ofSet: fc.Arbitrary<Spoil<NetworkSet['spec']>> = fc
  .tuple(fc.constantFrom(...noNets), fc.boolean())
  .map(([net, isFirst]) => ({ nets = [], ...sound }) => ({
    ...sound,
    nets: isFirst ? [net, ...nets] : [...nets, net],
  }));

const ofHostEndpoint: fc.Arbitrary<Spoil<HostEndpoint['spec']>> = fc.oneof(
  fc
    .constantFrom('junk', '172.30.0.0/24', '172.30.0.300', 'fd30::/64')
    .map((address) => (sound: HostEndpoint['spec']) => ({
      ...sound,
      expectedIPs: [address, ...(sound.expectedIPs ?? [])],
    })),
  fc
    .constantFrom(6, '6', 'constructor', 'None')
    .map((protocol) => field<HostEndpoint['spec']>({ ports: [{ name: 'web', protocol, port: 80 }] })),
);

const now = <T extends { readonly spec: S }, S>(
  sound: fc.Arbitrary<T>,
  spoils: fc.Arbitrary<Spoil<S>>,
): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: oneIn - 1, arbitrary: sound },
    {
      weight: 1,
      arbitrary: fc.tuple(sound, spoils).map(([object, spoil]) => ({ ...object, spec: spoil(object.spec) })),
    },
  );

/** Each takes sound objects, and spoils some of them. */
export const nowAndThenMalformed = {
  networkPolicy: (sound: fc.Arbitrary<NetworkPolicy>) =>
    now(sound, ofPolicy as fc.Arbitrary<Spoil<NetworkPolicy['spec']>>),
  globalPolicy: (sound: fc.Arbitrary<GlobalNetworkPolicy>) =>
    now(sound, ofGlobalPolicy as fc.Arbitrary<Spoil<GlobalNetworkPolicy['spec']>>),
  clusterPolicy: (sound: fc.Arbitrary<ClusterNetworkPolicy>) => now(sound, ofClusterPolicy),
  networkSet: (sound: fc.Arbitrary<NetworkSet | GlobalNetworkSet>) => now(sound, ofSet),
  hostEndpoint: (sound: fc.Arbitrary<HostEndpoint>) => now(sound, ofHostEndpoint),
};
