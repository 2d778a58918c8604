// A cluster as Calico before native definitions leaves it: objects of crd.projectcalico.org/v1, stored the way it stores them.
import type { Datastore } from '../../src/datastore/index.ts';
import {
  type CustomResourceDefinition,
  calicoKinds,
  customResourceDefinitions,
  type Resource,
  type ResourceKind,
} from '../../src/resources/index.ts';

const group = 'crd.projectcalico.org';
const apiVersion = `${group}/v1`;

export interface Legacy extends Resource {
  spec: Record<string, unknown>;
}

/** The old group's kind of that name. */
export function legacyKind(kind: string): ResourceKind<Legacy> {
  const now = calicoKinds.find(
    (candidate) => candidate.kind === (kind === 'IPAMConfig' ? 'IPAMConfiguration' : kind),
  );
  if (!now) throw new Error(`"${kind}" is not a kind of Calico's`);
  const plural = kind === 'IPAMConfig' ? 'ipamconfigs' : now.plural;
  return { group, version: 'v1', kind, plural, namespaced: now.namespaced };
}

/** Declares every kind of the old group, whose schemas take whatever they are given. */
export async function declareLegacyKinds(store: Datastore): Promise<void> {
  for (const definition of legacyDefinitions()) await store.create(customResourceDefinitions, definition);
}

export function legacyDefinitions(): CustomResourceDefinition[] {
  return calicoKinds.map(({ kind }) =>
    definitionOf(legacyKind(kind === 'IPAMConfiguration' ? 'IPAMConfig' : kind)),
  );
}

/** With a schema that takes whatever it is given. */
export async function declareKind(store: Datastore, kind: ResourceKind<Legacy>): Promise<void> {
  await store.create(customResourceDefinitions, definitionOf(kind));
}

function definitionOf({
  group,
  version,
  kind,
  plural,
  namespaced,
}: ResourceKind<Legacy>): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      preserveUnknownFields: false,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  } as unknown as CustomResourceDefinition;
}

/** As Calico stores an object: what the user said in metadata goes into an annotation. */
export function legacy(
  kind: string,
  metadata: { name: string; namespace?: string },
  spec: Record<string, unknown>,
  said?: Record<string, unknown>,
): Legacy {
  const annotations = said && { 'projectcalico.org/metadata': JSON.stringify(said) };
  return { apiVersion, kind, metadata: { ...metadata, ...(annotations && { annotations }) }, spec };
}

const created = { creationTimestamp: '2025-01-01T00:00:00Z' };

/** A cluster of one node with one pod, and something of most kinds. */
const legacyObjects: readonly Legacy[] = [
  legacy(
    'ClusterInformation',
    { name: 'default' },
    {
      clusterGUID: '0123456789abcdef0123456789abcdef',
      clusterType: 'k8s,bgp,kdd',
      calicoVersion: 'v3.29.1',
      datastoreReady: true,
    },
  ),
  legacy('FelixConfiguration', { name: 'default' }, { logSeverityScreen: 'Info', reportingInterval: '0s' }),
  legacy('BGPConfiguration', { name: 'default' }, { asNumber: 64513 }, created),
  legacy('Tier', { name: 'security' }, { order: 100, defaultAction: 'Pass' }, created),
  legacy(
    'IPPool',
    { name: 'default-ipv4-ippool' },
    {
      cidr: '192.168.0.0/16',
      blockSize: 26,
      vxlanMode: 'Always',
      ipipMode: 'Never',
      natOutgoing: true,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
    },
    created,
  ),
  legacy(
    'NetworkPolicy',
    { namespace: 'shop', name: 'default.web' },
    {
      selector: "app == 'web'",
      types: ['Ingress'],
      ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [80] } }],
    },
    { ...created, name: 'web', labels: { team: 'shop' } },
  ),
  legacy(
    'GlobalNetworkPolicy',
    { name: 'security.no-metadata' },
    {
      tier: 'security',
      order: 1,
      selector: 'all()',
      types: ['Egress'],
      egress: [{ action: 'Deny', destination: { nets: ['169.254.169.254/32'] } }, { action: 'Pass' }],
    },
    { ...created, name: 'security.no-metadata' },
  ),
  legacy('NetworkPolicy', { namespace: 'shop', name: 'default.plain' }, { selector: 'all()' }),
  legacy(
    'GlobalNetworkSet',
    { name: 'partners' },
    { nets: ['203.0.113.0/24'] },
    { ...created, labels: { kind: 'partner' } },
  ),
  legacy(
    'IPAMConfig',
    { name: 'default' },
    { strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 0 },
  ),
  legacy(
    'IPAMBlock',
    { name: '192-168-71-0-26' },
    {
      cidr: '192.168.71.0/26',
      affinity: 'host:node-1',
      allocations: [0, 1, ...Array<null>(62).fill(null)],
      unallocated: Array.from({ length: 62 }, (_, index) => index + 2),
      attributes: [
        {
          handle_id: 'vxlan-tunnel-addr-node-1',
          secondary: { node: 'node-1', type: 'vxlanTunnelAddress' },
        },
        {
          handle_id: 'k8s-pod-network.aaaa',
          secondary: {
            node: 'node-1',
            namespace: 'shop',
            pod: 'web-1',
            timestamp: '2025-01-01 00:00:00 +0000 UTC',
          },
        },
      ],
      deleted: false,
      strictAffinity: false,
      sequenceNumber: 3,
      sequenceNumberForAllocation: { '0': 1, '1': 2 },
    },
  ),
  legacy(
    'BlockAffinity',
    { name: 'node-1-192-168-71-0-26' },
    {
      cidr: '192.168.71.0/26',
      node: 'node-1',
      state: 'confirmed',
      deleted: 'false',
    },
  ),
  legacy(
    'IPAMHandle',
    { name: 'vxlan-tunnel-addr-node-1' },
    {
      handleID: 'vxlan-tunnel-addr-node-1',
      block: { '192.168.71.0/26': 1 },
      deleted: false,
    },
  ),
  legacy(
    'IPAMHandle',
    { name: 'k8s-pod-network.aaaa' },
    {
      handleID: 'k8s-pod-network.aaaa',
      block: { '192.168.71.0/26': 1 },
      deleted: false,
    },
  ),
];

export async function createLegacyObjects(store: Datastore): Promise<void> {
  for (const object of legacyObjects) await store.create(legacyKind(object.kind), object);
}
