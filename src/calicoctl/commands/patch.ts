// `calicoctl patch`: changes parts of one object.
import { parse } from 'yaml';
import {
  ConflictError,
  type KubernetesClient,
  NotFoundError,
  type PatchType,
} from '../../datastore/index.ts';
import { completedPolicy, isTieredPolicy, type Resource } from '../../resources/index.ts';
import { findPrintedKind } from '../kinds/find-kind.ts';
import type { PrintedKind } from '../kinds/kinds.ts';
import type { GlobalOptions, NamespaceOptions, OutputFormat } from '../options.ts';
import { CommandError } from '../problem.ts';
import { openSession } from '../session.ts';
import type { CalicoNode } from '../synthesised/node.ts';
import { mergePatch } from '../write/merge-patch.ts';
import { findStored, replaceStored } from '../write/objects-store.ts';
import { Report } from '../write/report.ts';

interface PatchOptions extends GlobalOptions, NamespaceOptions {
  readonly patch: string;
  readonly type: PatchType;
  readonly output: OutputFormat;
}

export async function patch(kindName: string, name: string, options: PatchOptions): Promise<number> {
  const kind = findPrintedKind(kindName);
  const body = parsePatch(options.patch, options.type);
  await using session = await openSession(options);
  const namespace = kind.namespaced ? (options.namespace ?? session.namespace) : undefined;
  const key = { name, ...(namespace && { namespace }) };
  // Custom resources have no strategic merge patch; without merge keys it would be the same as a JSON merge patch.
  const type = options.type === 'strategic' ? 'merge' : options.type;
  const before = await findStored(session.client, kind, key);
  if (!before) throw new NotFoundError(`Cannot patch ${kind.kind} "${name}": it does not exist`);
  const after =
    kind.madeFrom === 'nodes'
      ? await patchNode(session.client, kind, before as CalicoNode, type, body)
      : isTieredPolicy(before)
        ? await patchPolicy(session.client, kind, key, type, body)
        : await session.client.patch(kind, key, type, body);
  const isSame = before.metadata.resourceVersion === after.metadata.resourceVersion;
  const report = new Report(options.output, 1);
  report.add({ kind: kind.kind, ...key, result: isSame ? 'unchanged' : 'patched' });
  return report.end();
}

/** A patch is JSON or YAML. */
function parsePatch(text: string, type: PatchType): object {
  let body: unknown;
  try {
    body = parse(text);
  } catch (cause) {
    throw new CommandError(`Cannot read the patch: ${(cause as Error).message}`, undefined, { cause });
  }
  const isList = Array.isArray(body);
  if (typeof body !== 'object' || body === null || isList !== (type === 'json')) {
    throw new CommandError(
      `Cannot read the patch: one of type "${type}" is ${type === 'json' ? 'a list' : 'an object'}`,
    );
  }
  return body;
}

const tries = 5;

/** Written once, with what follows from the change: the API server says what would become of the policy, and gets that completed. */
async function patchPolicy(
  client: KubernetesClient,
  kind: PrintedKind,
  key: { readonly name: string; readonly namespace?: string },
  type: PatchType,
  body: object,
): Promise<Resource> {
  for (let left = tries; ; left--) {
    const wanted = completedPolicy(await client.patch(kind, key, type, body, { dryRun: true }));
    try {
      return await client.replace(kind, wanted);
    } catch (error) {
      // Somebody else wrote in between: the patch is of that state then, as it would be on the server.
      if (!(error instanceof ConflictError) || left === 0) throw error;
    }
  }
}

function patchNode(
  client: KubernetesClient,
  kind: PrintedKind,
  stored: CalicoNode,
  type: PatchType,
  body: object,
): ReturnType<typeof replaceStored> {
  if (type === 'json') {
    throw new CommandError(
      `Cannot patch Node "${stored.metadata.name}": a node takes patches of type merge, because its fields are annotations`,
    );
  }
  return replaceStored(client, kind, mergePatch(stored, body) as CalicoNode, stored, {});
}
