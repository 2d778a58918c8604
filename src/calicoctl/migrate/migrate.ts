// `calicoctl migrate-from-calico`: copies a cluster's objects from crd.projectcalico.org/v1, where Calico kept them, to
// projectcalico.org/v3, where our programs do. The old objects stay as they are, but for one word: while addresses are copied
// nobody may assign any, so the old cluster is told that its datastore is not ready. Can be run again at any time.
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import { customResourceDefinitions } from '../../resources/index.ts';
import type { GlobalOptions } from '../options.ts';
import { formatTable } from '../output/table.ts';
import { CommandError } from '../problem.ts';
import { Session } from '../session.ts';
import { refuseAggregatedGroup } from './aggregated.ts';
import { information, isInCharge, refuseTwoInCharge } from './charge.ts';
import { giveBack, handOver } from './hand-over.ts';
import { type LegacyKind, legacyKinds } from './legacy-kinds.ts';
import { notAboutAddresses, type PlannedObject, planMigration } from './plan.ts';
import { describeLeftovers } from './this-machine.ts';
import { writePlanned } from './write.ts';

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

/** Returns 1 when something cannot be migrated as it stands. */
export async function migrateFromCalico(options: MigrateOptions): Promise<number> {
  // The versions of both sides differ by their nature.
  await using session = new Session(options);
  const { client } = session;
  await refuseAggregatedGroup(client);
  if (!options.dryRun) await refuseUndeclared(client);
  if (options.abort) {
    await giveBack(client);
    return 0;
  }
  const isHandedOver = await isInCharge(client);
  if (isHandedOver) await refuseTwoInCharge(client);
  // The word of readiness is given at the end, and not copied.
  const isPlanned = (kind: LegacyKind) => kind !== information && (!isHandedOver || notAboutAddresses(kind));
  const planned = await planMigration(client, isPlanned);
  say(describe(planned));
  for (const line of await leftBehind(client)) say(`${line}\n`);
  if (isHandedOver) say('The new group is in charge of addresses already: they are left alone\n');
  if (options.dryRun) for (const line of await describeLeftovers()) say(`${line}\n`);
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
  const written = await writePlanned(
    client,
    planned.filter(({ kind }) => notAboutAddresses(kind)),
    options.overwrite === true,
  );
  say(`Wrote ${written} objects\n`);
  if (!isHandedOver) await handOver(client, options.settle);
  return 0;
}

/** @throws CommandError when the kinds that are to be written are not there yet */
async function refuseUndeclared(client: KubernetesClient): Promise<void> {
  if (await ifThere(client.list(information.to))) return;
  throw new CommandError(
    'The kinds of projectcalico.org/v3 are not declared in this cluster yet; do that first: kubectl apply -f manifests/crds',
  );
}

/** Of the old group's kinds that have no like in the new one, how many objects there are. */
async function leftBehind(client: KubernetesClient): Promise<string[]> {
  const known = new Set(legacyKinds.map(({ from }) => from.plural));
  const { group, version } = information.from;
  const lines: string[] = [];
  for (const { spec } of await client.list(customResourceDefinitions)) {
    const { kind, plural } = spec.names;
    if (spec.group !== group || known.has(plural)) continue;
    const namespaced = spec.scope === 'Namespaced';
    const { length } = await client.list({ group, version, kind, plural, namespaced });
    if (length > 0) lines.push(`${length} objects of ${kind} stay behind: the kind is unknown here`);
  }
  return lines;
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
  const leftOver = planned.filter(({ action }) => action === 'left-over').length;
  const lines = planned.flatMap(({ kind, key: name, action, why }) =>
    action === 'invalid'
      ? [`${kind.to.kind} "${name}" is invalid: ${why}`]
      : action === 'differs' && notAboutAddresses(kind)
        ? [`${kind.to.kind} "${name}" says something else in the new group, and stays so without --overwrite`]
        : [],
  );
  const table = formatTable([['KIND', ...actions.map((action) => action.toUpperCase())], ...rows]);
  if (leftOver > 0)
    lines.push(`${leftOver} objects about addresses are left of a copying that was given up, and go`);
  return `${table}${lines.map((line) => `${line}\n`).join('')}`;
}

function say(text: string): void {
  process.stdout.write(text);
}
