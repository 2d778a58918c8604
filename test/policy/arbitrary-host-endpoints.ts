// Random host endpoints, and what makes a global policy one about them; over the nodes and addresses of host-crossings.ts.
import fc from 'fast-check';
import type { FelixConfiguration, GlobalNetworkPolicy, HostEndpoint } from '../../src/resources/index.ts';

const profiles = [[], [], ['projectcalico-default-allow'], ['kns.red'], ['kns.nowhere', 'ksa.red.robot']];

const place = fc.constantFrom<Partial<HostEndpoint['spec']>[]>(
  { interfaceName: '*' },
  { interfaceName: '*', expectedIPs: ['172.30.0.11', 'fd30::11'] },
  { interfaceName: 'eth0', expectedIPs: ['172.30.0.11'] },
  { interfaceName: 'eth0' },
  { interfaceName: 'eth1' },
  { expectedIPs: ['172.30.0.11', 'fd30::12'] },
  { expectedIPs: ['10.9.0.1', '172.30.0.12'] },
);

const ports = fc.constantFrom<NonNullable<HostEndpoint['spec']['ports']>[]>(
  [],
  [{ name: 'web', protocol: 'TCP', port: 80 }],
  [
    { name: 'web', protocol: 'TCP', port: 81 },
    { name: 'dns', protocol: 'UDP', port: 82 },
  ],
);

export const hostEndpoint = (
  nodes: readonly string[],
  labels: fc.Arbitrary<Record<string, string>>,
): fc.Arbitrary<HostEndpoint> =>
  fc
    .record({
      name: fc.constantFrom('h1', 'h2', 'h3'),
      node: fc.constantFrom(...nodes),
      place,
      labels,
      ports,
      profiles: fc.constantFrom(...profiles),
    })
    .map(({ name, labels: own, place: where, ...spec }) => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'HostEndpoint',
      metadata: { name, labels: { ...own, host: name } },
      spec: { ...spec, ...where },
    }));

type Spec = GlobalNetworkPolicy['spec'];

/** About host endpoints, and no pods. */
function ofHosts({ namespaceSelector: _, serviceAccountSelector: __, ...spec }: Spec): Spec {
  return { ...spec, selector: 'has(host)' };
}

/** Where a global policy is asked about host endpoints: mostly in its normal place. */
export const hostPlace: fc.Arbitrary<(spec: Spec) => Spec> = fc.constantFrom(
  (spec: Spec) => spec,
  (spec: Spec) => spec,
  (spec: Spec) => spec,
  (spec: Spec) => ({ ...ofHosts(spec), applyOnForward: true }),
  (spec: Spec) => ({ ...spec, applyOnForward: true }),
  (spec: Spec) => ({ ...spec, applyOnForward: true, doNotTrack: true }),
  ({ types: _, egress: __, ...spec }: Spec) => ({ ...ofHosts(spec), applyOnForward: true, preDNAT: true }),
);

type HostPorts = NonNullable<FelixConfiguration['spec']['failsafeInboundHostPorts']>;

/** Those by which an agent speaks to its API server are always among them. */
const failsafePorts = fc
  .subarray<HostPorts[number]>([
    { protocol: 'TCP', port: 80 },
    { port: 82, net: '172.30.0.0/28' },
    { protocol: 'UDP', port: 81, net: 'fd30::/120' },
    { protocol: 'SCTP', port: 83 },
    { protocol: 'UDP', port: 79, net: '10.0.0.0/8' },
  ])
  .map((list): HostPorts => [{ protocol: 'TCP', port: 6443 }, ...list]);

export const felixConfiguration: fc.Arbitrary<FelixConfiguration> = fc
  .record({
    defaultEndpointToHostAction: fc.constantFrom('Accept' as const, 'Drop' as const, 'Return' as const),
    failsafeInboundHostPorts: fc.option(failsafePorts, { nil: undefined }),
    failsafeOutboundHostPorts: fc.option(failsafePorts, { nil: undefined }),
  })
  .map((spec) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'FelixConfiguration',
    metadata: { name: 'default' },
    spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)),
  }));
