// `calicoctl migrate-from-calico`: copies a cluster's objects from crd.projectcalico.org/v1, where Calico kept them, to
// projectcalico.org/v3, where our programs do. The old objects stay as they are, but for one word: while addresses are copied
// nobody may assign any, so the old cluster is told that its datastore is not ready. Can be run again at any time.
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubernetesClient, NotFoundError } from '../../datastore/index.ts';
import { clusterInformations, ipamBlocks, type Resource } from '../../resources/index.ts';
import type { GlobalOptions } from '../options.ts';
import { formatTable } from '../output/table.ts';
import { CommandError } from '../problem.ts';
import { type ClusterFacts, readClusterInformation, Session } from '../session.ts';
import { refuseAggregatedGroup } from './aggregated.ts';
import { fromLegacy } from './convert.ts';
import { type LegacyKind, legacyKinds } from './legacy-kinds.ts';
import { aboutAddresses, notAboutAddresses, type PlannedObject, planMigration } from './plan.ts';

export interface MigrateOptions extends GlobalOptions {
  /** Shows what would be done, and writes nothing. */
  readonly dryRun?: boolean;
  /** Replaces objects of the new group that say something else. */
  readonly overwrite?: boolean;
  /** Lets the old cluster assign addresses again, as long as the new one does not. */
  readonly abort?: boolean;
  /** Seconds without a change after which the old cluster's last requests are taken to have ended. */
  readonly settle: number;
}

const information = legacyKinds.find(({ to }) => to.kind === clusterInformations.kind) as LegacyKind;
const key = { name: 'default' };

/** Returns 1 when something cannot be migrated as it stands. */
export async function migrateFromCalico(options: MigrateOptions): Promise<number> {
  // The versions of both sides differ by their nature.
  await using session = new Session(options);
  const { client } = session;
  await refuseAggregatedGroup(client);
  const isHandedOver = await isInCharge(client);
  if (options.abort) return abort(client, isHandedOver);
  // The word of readiness is given at the end, and not copied.
  const isPlanned = (kind: LegacyKind) => kind !== information && (!isHandedOver || notAboutAddresses(kind));
  const planned = await planMigration(client, isPlanned);
  say(describe(planned));
  if (isHandedOver) say('The new group is in charge of addresses already: they are left alone\n');
  const invalid = planned.filter(({ action }) => action === 'invalid');
  if (options.dryRun || invalid.length > 0) {
    say(
      options.dryRun
        ? 'Nothing was written\n'
        : 'Nothing was written: mend what is invalid first, or delete it\n',
    );
    return invalid.length > 0 ? 1 : 0;
  }
  if (planned.length === 0)
    throw new CommandError('There is nothing of crd.projectcalico.org/v1 in this cluster');
  const written = await write(
    client,
    planned.filter(({ kind }) => notAboutAddresses(kind)),
    options.overwrite === true,
  );
  say(`Wrote ${written} objects\n`);
  if (!isHandedOver) await handOver(client, options.settle);
  return 0;
}

/** Whether the new group's own addresses are what counts: then the old ones are history. */
async function isInCharge(client: KubernetesClient): Promise<boolean> {
  const ours = await readClusterInformation(client);
  return ours?.spec?.datastoreReady === true && (await client.list(ipamBlocks)).length > 0;
}

async function handOver(client: KubernetesClient, settleSeconds: number): Promise<void> {
  const old = await readOld(client);
  if (old) await setReady(client, false);
  say(
    'The old cluster assigns no addresses from now on; pods that start wait until their node is taken over\n',
  );
  let copied = 0;
  for (let looks = 0; ; looks++) {
    const planned = await planMigration(client, aboutAddresses);
    const bad = planned.find(({ action }) => action === 'invalid');
    if (bad) throw new CommandError(`Cannot copy ${bad.kind.to.kind} "${bad.key}": ${bad.why}`);
    const due = planned.filter(({ action }) => action !== 'unchanged');
    copied += await write(client, due, true);
    // A request that was under way may write for a little while: only a later look that finds nothing new is the last.
    if (due.length === 0 && looks > 0) break;
    await sleep(settleSeconds * 1000);
  }
  await giveTheWord(client, old);
  say(`Copied ${copied} objects about addresses; the new group is in charge of them\n`);
  say('Now take the nodes over, one after another: see docs/migrate-from-calico.md\n');
}

async function abort(client: KubernetesClient, isHandedOver: boolean): Promise<number> {
  if (isHandedOver) {
    throw new CommandError(
      'Cannot give the addresses back to the old cluster: the new one is in charge of them, and what it assigned since is unknown to the old one',
    );
  }
  await setReady(client, true);
  say('The old cluster assigns addresses again\n');
  return 0;
}

/** Returns how many objects were written. */
async function write(
  client: KubernetesClient,
  planned: readonly PlannedObject[],
  overwrites: boolean,
): Promise<number> {
  let written = 0;
  for (const { kind, action, object, present } of planned) {
    if (!object || action === 'unchanged' || (action === 'differs' && !overwrites)) continue;
    if (present) {
      const metadata = { ...present.metadata, ...object.metadata };
      await client.replace(kind.to, { ...object, metadata });
    } else await client.create(kind.to, object);
    written++;
  }
  return written;
}

async function readOld(client: KubernetesClient): Promise<Resource | undefined> {
  try {
    return await client.get(information.from, key);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function setReady(client: KubernetesClient, datastoreReady: boolean): Promise<unknown> {
  return client.patch(information.from, key, 'merge', { spec: { datastoreReady } });
}

async function giveTheWord(client: KubernetesClient, old: Resource | undefined): Promise<void> {
  const ours: ClusterFacts | undefined = await readClusterInformation(client);
  if (ours) {
    await client.patch(information.to, key, 'merge', { spec: { datastoreReady: true } });
    return;
  }
  const { spec } = (old ? fromLegacy(information, old) : {}) as ClusterFacts;
  const { calicoVersion: _theirs, ...kept } = spec ?? {};
  await client.create(information.to, {
    apiVersion: 'projectcalico.org/v3',
    kind: clusterInformations.kind,
    metadata: key,
    spec: { ...kept, datastoreReady: true },
  } as Resource);
}

function describe(planned: readonly PlannedObject[]): string {
  const kinds = [...new Set(planned.map(({ kind }) => kind.to.kind))];
  const actions = ['create', 'unchanged', 'differs', 'invalid'] as const;
  const rows = kinds.map((name) => [
    name,
    ...actions.map((action) =>
      String(planned.filter(({ kind, action: is }) => kind.to.kind === name && is === action).length),
    ),
  ]);
  const lines = planned.flatMap(({ kind, key: name, action, why }) =>
    action === 'invalid'
      ? [`${kind.to.kind} "${name}" is invalid: ${why}`]
      : action === 'differs' && notAboutAddresses(kind)
        ? [`${kind.to.kind} "${name}" says something else in the new group, and stays so without --overwrite`]
        : [],
  );
  const table = formatTable([['KIND', ...actions.map((action) => action.toUpperCase())], ...rows]);
  return `${table}${lines.map((line) => `${line}\n`).join('')}`;
}

function say(text: string): void {
  process.stdout.write(text);
}
