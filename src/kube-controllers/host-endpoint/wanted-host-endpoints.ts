// The host endpoints that a node is to have by itself, as the KubeControllersConfiguration says. Pure. Names are Calico's.
import { createHash } from 'node:crypto';
import { type Cidr, canonicalAddress, cidrContains, tryParseAddress, tryParseCidr } from '../../net/index.ts';
import { allInterfaces, defaultAllowProfile } from '../../policy/index.ts';
import {
  apiVersionOf,
  type HostEndpoint,
  hostEndpoints,
  type Node,
  type NodeInterface,
  nodeAnnotations,
  nodeInterfaces,
} from '../../resources/index.ts';
import { matches, parseSelector } from '../../selector/index.ts';
import type { HostEndpointConfig } from '../configuration/running-config.ts';

type Template = NonNullable<HostEndpointConfig['templates']>[number];

/** Label and value by which they are told from those that people make. */
export const createdBy = { label: 'projectcalico.org/created-by', value: 'calico-kube-controllers' } as const;

const suffix = 'auto-hep';
const maxNameLength = 253;

/** Of all nodes, by name. Where several would have one name, every one after the first has a name of its own, which lasts. */
export function hostEndpointsByName(
  nodes: readonly Node[],
  config: HostEndpointConfig,
): Map<string, HostEndpoint> {
  const isDefault = ({ spec }: HostEndpoint) => spec.interfaceName === allInterfaces;
  const all = nodes
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((node) => wantedHostEndpoints(node, config));
  const named = new Map<string, HostEndpoint>();
  const takers = new Map<string, number>();
  // A node's endpoint for all interfaces is known to people by its name, so templates of another node do not take it.
  for (const one of [...all.filter(isDefault), ...all.filter((one) => !isDefault(one))]) {
    const plain = one.metadata.name;
    if (!named.has(plain)) {
      named.set(plain, one);
      continue;
    }
    const place = JSON.stringify([plain, one.spec.node, one.spec.interfaceName]);
    const taker = takers.get(place) ?? 0;
    takers.set(place, taker + 1);
    const name = hashed(plain, `${place} ${taker}`);
    named.set(name, { ...one, metadata: { ...one.metadata, name } });
  }
  return named;
}

/**
 * None where they are not to be made. A template whose selector or pattern cannot be read selects nothing. Several may have one
 * name.
 */
export function wantedHostEndpoints(node: Node, config: HostEndpointConfig): HostEndpoint[] {
  if (config.autoCreate !== 'Enabled') return [];
  const own =
    (config.createDefaultHostEndpoint ?? 'Enabled') === 'Enabled'
      ? [make(node, [node.metadata.name], { interfaceName: allInterfaces, expectedIPs: addressesOf(node) })]
      : [];
  return [...own, ...(config.templates ?? []).flatMap((template) => fromTemplate(node, template))];
}

function fromTemplate(node: Node, template: Template): HostEndpoint[] {
  if (!selects(template.nodeSelector, node)) return [];
  const ranges = (template.interfaceCIDRs ?? []).flatMap((text) => tryParseCidr(text) ?? []);
  const prefix = [node.metadata.name, template.generateName ?? ''];
  const { interfacePattern } = template;
  if (interfacePattern === undefined || interfacePattern === '') {
    const expectedIPs = within(addressesOf(node), ranges);
    return expectedIPs.length > 0 ? [make(node, prefix, { expectedIPs }, template)] : [];
  }
  const isMeant = namedLike(interfacePattern);
  return nodeInterfaces(node)
    .filter(({ name }) => isMeant(name))
    .map((one: NodeInterface) => ({ name: one.name, expectedIPs: within(canonical(one.addresses), ranges) }))
    .filter(({ expectedIPs }) => ranges.length === 0 || expectedIPs.length > 0)
    .map(({ name, expectedIPs }) =>
      make(node, [...prefix, name], { interfaceName: name, expectedIPs }, template),
    );
}

function make(
  { metadata }: Node,
  parts: readonly string[],
  place: Pick<HostEndpoint['spec'], 'interfaceName' | 'expectedIPs'>,
  template: Template = {},
): HostEndpoint {
  const labels = { ...metadata.labels, ...template.labels, [createdBy.label]: createdBy.value };
  const { annotations } = template;
  return {
    apiVersion: apiVersionOf(hostEndpoints),
    kind: hostEndpoints.kind,
    metadata: {
      name: nameOf(parts.filter((part) => part !== '')),
      labels,
      ...(annotations && Object.keys(annotations).length > 0 && { annotations }),
    },
    spec: { node: metadata.name, ...place, profiles: [defaultAllowProfile] },
  };
}

/**
 * "node-1-auto-hep". One that is too long is cut, one with characters that no name may have is told without them, and either is
 * told from others by a hash.
 */
function nameOf(parts: readonly string[]): string {
  const name = [...parts, suffix].join('-').toLowerCase();
  const allowed = name.replace(/[^a-z0-9.-]/g, '-');
  if (allowed === name && name.length <= maxNameLength) return name;
  return hashed(allowed, name);
}

/** A name that ends in the suffix, cut where it is too long, with a hash of what is told apart by it. */
function hashed(name: string, told: string): string {
  const hash = createHash('sha256').update(told).digest('hex').slice(0, 11);
  const start = name.slice(0, -suffix.length - 1).slice(0, maxNameLength - hash.length - suffix.length - 2);
  return `${start}-${hash}-${suffix}`;
}

/** Every address that the node is known by, tunnels' among them; sorted. */
function addressesOf({ metadata, status }: Node): string[] {
  const annotated = [
    nodeAnnotations.ipv4Address,
    nodeAnnotations.ipv6Address,
    nodeAnnotations.ipv4VxlanTunnelAddress,
    nodeAnnotations.ipv6VxlanTunnelAddress,
  ].map((annotation) => metadata.annotations?.[annotation] ?? '');
  const reported = (status?.addresses ?? []).map(({ address }) => address);
  return canonical([...annotated, ...reported]);
}

function canonical(texts: readonly string[]): string[] {
  const addresses = texts.flatMap((text) => canonicalAddress(text.split('/')[0] ?? '') ?? []);
  return [...new Set(addresses)].sort();
}

function within(addresses: readonly string[], ranges: readonly Cidr[]): string[] {
  if (ranges.length === 0) return [...addresses];
  return addresses.filter((text) => {
    const address = tryParseAddress(text);
    return address && ranges.some((range) => cidrContains(range, address));
  });
}

function namedLike(pattern: string): (name: string) => boolean {
  try {
    const expression = new RegExp(pattern);
    return (name) => expression.test(name);
  } catch {
    return () => false;
  }
}

function selects(selector: string | undefined, { metadata }: Node): boolean {
  try {
    return matches(parseSelector(selector ?? ''), new Map(Object.entries(metadata.labels ?? {})));
  } catch {
    // The API server refuses such a selector; one that came past it selects nobody.
    return false;
  }
}
