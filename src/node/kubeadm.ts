// What kubeadm has written of the cluster that it made: the range of its pods, which whoever ran it has already chosen.
import { parse } from 'yaml';
import { type Datastore, ForbiddenError, MisfitError, NotFoundError } from '../datastore/index.ts';
import { type Family, tryParseCidr } from '../net/index.ts';
import type { Logger } from '../process/index.ts';
import { type ConfigMap, configMaps } from '../resources/index.ts';

const key = { namespace: 'kube-system', name: 'kubeadm-config' };
const where = 'ClusterConfiguration of the ConfigMap kube-system/kubeadm-config';

/** The range of pods by family; a family is missing where kubeadm was told none. */
export type PodSubnets = ReadonlyMap<Family, string>;

/**
 * Undefined where the cluster is none of kubeadm's, or does not let us see that it is. What cannot be read as ranges is logged, and
 * counts as not said. Format: kubeadm's ClusterConfiguration, `networking.podSubnet`, one CIDR or one per family with a comma between.
 */
export async function readPodSubnets(datastore: Datastore, log: Logger): Promise<PodSubnets | undefined> {
  const map = await readConfigMap(datastore, log);
  if (!map) return undefined;
  const subnets = new Map<Family, string>();
  for (const text of podSubnet(map, log).split(',')) {
    const cidr = text.trim();
    if (cidr === '') continue;
    const family = tryParseCidr(cidr)?.family;
    if (family === undefined) log.warn(`networking.podSubnet in ${where} names "${cidr}", which is no CIDR`);
    else if (!subnets.has(family)) subnets.set(family, cidr);
  }
  return subnets;
}

async function readConfigMap(datastore: Datastore, log: Logger): Promise<ConfigMap | undefined> {
  try {
    return await datastore.get(configMaps, key);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (!(error instanceof ForbiddenError || error instanceof MisfitError)) throw error;
    // A role from before it was asked for, or nothing that can be read: no reason to leave the cluster without a pool.
    log.warn(
      { error },
      "Cannot see whether kubeadm was told a range of pods, so the default pool's is chosen",
    );
    return undefined;
  }
}

function podSubnet({ data }: ConfigMap, log: Logger): string {
  let configuration: unknown;
  try {
    configuration = parse(data?.ClusterConfiguration ?? '');
  } catch (error) {
    log.warn({ error }, `Cannot read ${where}: it is no YAML`);
    return '';
  }
  const { networking } = (configuration ?? {}) as { networking?: { podSubnet?: unknown } | null };
  const subnet = networking?.podSubnet ?? '';
  if (typeof subnet === 'string') return subnet;
  log.warn(`networking.podSubnet in ${where} is no text`);
  return '';
}
