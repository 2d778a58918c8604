// Which ranges of addresses the cluster itself keeps: of its Services, and those by which kube-proxy knows pods.
import { parse } from 'yaml';
import { ForbiddenError, type KubernetesClient, NotFoundError } from '../../datastore/index.ts';
import {
  type ConfigMap,
  configMaps,
  type Resource,
  type ResourceKind,
  services,
} from '../../resources/index.ts';

export interface ClusterRanges {
  /** Of Services, as CIDRs; where the cluster does not say, one address that surely is within. Empty where nothing may be read. */
  readonly services: readonly string[];
  /** What kube-proxy takes for the ranges of pods, none when it knows pods otherwise; undefined where its configuration is not known. */
  readonly proxy: readonly string[] | undefined;
}

interface ServiceCidr extends Resource {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

/** Of Kubernetes 1.33 and newer. */
const serviceCidrs: ResourceKind<ServiceCidr> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
};

export async function readClusterRanges(client: KubernetesClient): Promise<ClusterRanges> {
  const [cidrs, own, proxy] = await Promise.all([
    unlessUnseen(client.list(serviceCidrs)),
    unlessUnseen(client.get(services, { namespace: 'default', name: 'kubernetes' })),
    // As kubeadm leaves it.
    unlessUnseen(client.get(configMaps, { namespace: 'kube-system', name: 'kube-proxy' })),
  ]);
  const named = (cidrs ?? []).flatMap(({ spec }) => spec?.cidrs ?? []);
  const { clusterIP, clusterIPs = [clusterIP ?? ''] } = own?.spec ?? {};
  const single = clusterIPs
    .filter((address) => address !== '' && address !== 'None')
    .map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
  return { services: named.length > 0 ? named : single, proxy: proxy && proxyRanges(proxy) };
}

/** Exported for tests. */
export function proxyRanges({ data }: Pick<ConfigMap, 'data'>): readonly string[] | undefined {
  const { clusterCIDR, detectLocalMode } = configurationIn(data?.['config.conf'] ?? '');
  // By the node's own range, of which the Node tells.
  if (detectLocalMode === 'NodeCIDR') return undefined;
  if (detectLocalMode && detectLocalMode !== 'ClusterCIDR') return [];
  return typeof clusterCIDR === 'string' ? clusterCIDR.split(',').filter((cidr) => cidr !== '') : undefined;
}

function configurationIn(text: string): {
  readonly clusterCIDR?: unknown;
  readonly detectLocalMode?: unknown;
} {
  try {
    return parse(text) ?? {};
  } catch {
    // kube-proxy could not read it either.
    return {};
  }
}

/** Undefined where there is no such thing, or it is not for us to see: less is known then. */
async function unlessUnseen<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof ForbiddenError) return undefined;
    throw error;
  }
}
