// Which of the two groups is in charge of addresses, and how it gets and loses that: each has a ClusterInformation, whose word that
// the datastore is ready lets its CNI plugin assign any.
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import { clusterInformations, ipamBlocks, type Resource } from '../../resources/index.ts';
import { CommandError } from '../problem.ts';
import { type ClusterFacts, readClusterInformation } from '../session.ts';
import { fromLegacy } from './convert.ts';
import { type LegacyKind, type LegacyObject, legacyKinds } from './legacy-kinds.ts';

export const information = legacyKinds.find(({ to }) => to.kind === clusterInformations.kind) as LegacyKind;
const key = { name: 'default' };

/** On the new ClusterInformation once all addresses are copied: then the old ones are history, ready or not. */
const handedOver = 'projectcalico.org/addresses-handed-over';

/** Whether the new group's own addresses are what counts: handed over, or assigned where nothing ever was. */
export async function isInCharge(client: KubernetesClient): Promise<boolean> {
  const ours = await readClusterInformation(client);
  if (ours?.metadata.annotations?.[handedOver] !== undefined) return true;
  return ours?.spec?.datastoreReady === true && (await client.list(ipamBlocks)).length > 0;
}

/** Undefined where the old cluster has none. */
export function readOld(client: KubernetesClient): Promise<LegacyObject | undefined> {
  return ifThere(client.get(information.from, key));
}

/** Silence means yes, as it does to the old cluster. */
export function isReady(old: LegacyObject | undefined): boolean {
  return old !== undefined && old.spec?.datastoreReady !== false;
}

/** @throws CommandError when the new group assigns addresses that the old one still assigns, too */
export async function refuseTwoInCharge(client: KubernetesClient): Promise<void> {
  if (!isReady(await readOld(client))) return;
  throw new CommandError(
    'Both groups are in charge of addresses: ClusterInformation "default" of crd.projectcalico.org/v1 says that its datastore is ready, ' +
      'and projectcalico.org/v3 has blocks of its own. Where nodes were taken over, stop the old one: kubectl patch ' +
      `clusterinformations.crd.projectcalico.org default --type merge -p '{"spec":{"datastoreReady":false}}'. Where this Calico was ` +
      'installed before the addresses were copied, uninstall it (docs/install.md), delete its kinds, and begin again',
  );
}

export function setOldReady(client: KubernetesClient, datastoreReady: boolean): Promise<unknown> {
  return client.patch(information.from, key, 'merge', { spec: { datastoreReady } });
}

/** What is half copied may be used by nobody, where somebody has told this cluster of the new group already. @throws ConflictError */
export async function stopNew(client: KubernetesClient): Promise<void> {
  const ours = await readClusterInformation(client);
  if (ours?.spec?.datastoreReady !== true || (await isInCharge(client))) return;
  const { resourceVersion } = ours.metadata;
  const patch = { metadata: { resourceVersion }, spec: { datastoreReady: false } };
  await client.patch(information.to, key, 'merge', patch);
}

export async function putNewInCharge(client: KubernetesClient, old: LegacyObject | undefined): Promise<void> {
  const annotations = { [handedOver]: new Date().toISOString() };
  if (await readClusterInformation(client)) {
    const patch = { metadata: { annotations }, spec: { datastoreReady: true } };
    await client.patch(information.to, key, 'merge', patch);
    return;
  }
  const { spec } = (old ? fromLegacy(information, old) : {}) as ClusterFacts;
  const { calicoVersion: _theirs, ...kept } = spec ?? {};
  await client.create(information.to, {
    apiVersion: 'projectcalico.org/v3',
    kind: clusterInformations.kind,
    metadata: { ...key, annotations },
    spec: { ...kept, datastoreReady: true },
  } as Resource);
}
