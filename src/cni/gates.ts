// What must hold on a node before a pod may be set up: the agent has read its policies, the datastore is not being moved, the
// node is the one that the configuration was written for, and whatever URLs the administrator waits for answer.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import { clusterInformations } from '../resources/index.ts';
import type { NetworkConfiguration } from './configuration.ts';
import { CniError, cniErrorCodes, invalid } from './errors.ts';

export interface GateOptions {
  /** Name of the node. */
  readonly node: string;
  readonly datastore: Datastore;
  /** Where the agent writes the packet size of pods. */
  readonly mtuFile: string;
  /** Where it writes the node's name: the file that is asked for where the configuration names none. */
  readonly nodenameFile: string;
}

/** How often a URL is asked, and for how long. */
export interface Patience {
  readonly intervalMs: number;
  readonly deadlineMs: number;
}

/** As upstream. */
const usualPatience: Patience = { intervalMs: 5_000, deadlineMs: 30_000 };

/** @throws CniError with code 11 while it may pass, with code 5 or 7 when it will not */
export async function passGates(
  configuration: NetworkConfiguration,
  { node, datastore, mtuFile, nodenameFile: ownNodenameFile }: GateOptions,
  patience = usualPatience,
): Promise<void> {
  const {
    node: meant,
    nodenameFile = ownNodenameFile,
    isNodenameFileOptional,
    readinessGates,
  } = configuration;
  if (meant !== undefined && meant !== node) {
    throw invalid(`The network configuration is for node "${meant}", and this is "${node}"`);
  }
  passNodenameFile(nodenameFile, isNodenameFileOptional, node);
  if (configuration.isMtuFileRequired && configuration.mtu === undefined && !existsSync(mtuFile)) {
    throw new CniError(
      cniErrorCodes.tryAgainLater,
      `"require_mtu_file" is set, and there is no file "${mtuFile}" yet`,
    );
  }
  const deadline = AbortSignal.timeout(patience.deadlineMs);
  await Promise.all([
    passDatastore(datastore),
    ...readinessGates.map((url) => passUrl(url, patience.intervalMs, deadline)),
  ]);
}

/** @throws CniError with code 11 when ClusterInformation says that the datastore is not to be used */
export async function passDatastore(datastore: Datastore): Promise<void> {
  try {
    const { spec } = await datastore.get(clusterInformations, { name: 'default' });
    if (spec.datastoreReady !== false) return;
  } catch (error) {
    // A cluster that nobody has described yet is not one that is being moved.
    if (error instanceof NotFoundError) return;
    throw error;
  }
  throw new CniError(
    cniErrorCodes.tryAgainLater,
    'ClusterInformation "default" says that the datastore is not ready (datastoreReady is false)',
  );
}

function passNodenameFile(path: string, isOptional: boolean, node: string): void {
  let written: string;
  try {
    written = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing && isOptional) return;
    const code = isMissing ? cniErrorCodes.tryAgainLater : cniErrorCodes.ioFailure;
    throw new CniError(code, `Cannot read the node's name from "${path}"`, { cause });
  }
  if (written === node) return;
  throw invalid(`"${path}" says that this is node "${written}", and calico-node is "${node}"`);
}

/** Asks until it answers: a URL sends no events. */
async function passUrl(url: string, intervalMs: number, deadline: AbortSignal): Promise<void> {
  let why: unknown;
  for (;;) {
    try {
      const { ok, status } = await fetch(url, { signal: deadline });
      if (ok) return;
      why = `it answered ${status}`;
    } catch (error) {
      // What was seen before the deadline says more than that there was one.
      if (!deadline.aborted || why === undefined) {
        why = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
      }
    }
    await delay(intervalMs, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw new CniError(cniErrorCodes.tryAgainLater, `The readiness gate "${url}" is closed: ${why}`, {
        cause,
      });
    });
  }
}
