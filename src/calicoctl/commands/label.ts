// `calicoctl label`: sets or removes labels of one object.
import { NotFoundError } from '../../datastore/index.ts';
import { completedPolicy, isTieredPolicy, nodes, tierLabel } from '../../resources/index.ts';
import { findPrintedKind } from '../kinds/find-kind.ts';
import type { GlobalOptions, NamespaceOptions, OutputFormat } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession } from '../session.ts';
import { findStored } from '../write/objects-store.ts';
import { Report } from '../write/report.ts';

interface LabelOptions extends GlobalOptions, NamespaceOptions {
  readonly overwrite?: boolean;
  readonly remove?: boolean;
  readonly output: OutputFormat;
}

export async function label(
  kindName: string,
  name: string,
  words: readonly string[],
  options: LabelOptions,
): Promise<number> {
  const kind = findPrintedKind(kindName);
  const wanted = words.map((word) => (options.remove ? ([word, null] as const) : parseLabel(word)));
  await using session = await openSession(options);
  const namespace = kind.namespaced ? (options.namespace ?? session.namespace) : undefined;
  const key = { name, ...(namespace && { namespace }) };
  const stored = await findStored(session.client, kind, key);
  if (!stored) throw new NotFoundError(`Cannot label ${kind.kind} "${name}": it does not exist`);
  const { labels: old = {}, resourceVersion } = stored.metadata;
  const isTiered = isTieredPolicy(stored);
  const tier = completedPolicy(stored).metadata.labels?.[tierLabel];
  for (const [label, value] of wanted) {
    if (isTiered && label === tierLabel && value !== tier) {
      throw new CommandError(
        `Cannot change label "${label}" of ${kind.kind} "${name}": it is always the policy's tier, "${tier}"; change spec.tier`,
      );
    }
    const known = old[label];
    if (value === null && known === undefined) {
      throw new CommandError(
        `Cannot remove label "${label}" of ${kind.kind} "${name}": it has none of that name`,
      );
    }
    if (value !== null && known !== undefined && known !== value && !options.overwrite) {
      throw new CommandError(
        `Cannot set label "${label}" of ${kind.kind} "${name}" to "${value}": it is "${known}"; --overwrite changes it`,
      );
    }
  }
  // By the revision that was read, so that what was judged above still holds.
  const patch = {
    metadata: { labels: Object.fromEntries(wanted), ...(resourceVersion && { resourceVersion }) },
  };
  const target = kind.madeFrom === 'nodes' ? nodes : kind;
  const after = await session.client.patch(target, key, 'merge', patch);
  const isSame = after.metadata.resourceVersion === resourceVersion;
  const report = new Report(options.output, 1);
  report.add({ kind: kind.kind, ...key, result: isSame ? 'unchanged' : 'labeled' });
  return report.end();
}

function parseLabel(word: string): readonly [string, string] {
  const equals = word.indexOf('=');
  if (equals < 1)
    throw new CommandError(`"${word}" is not a label: write key=value, or --remove and the key`);
  return [word.slice(0, equals), word.slice(equals + 1)];
}
