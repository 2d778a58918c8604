// What must hold on a node before a pod may be set up: the agent has read its policies, the datastore is not being moved, the
// node is the one that the configuration was written for, and whatever URLs the administrator waits for answer.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Datastore, NotFoundError } from '../datastore/index.ts';
import { clusterInformations } from '../resources/index.ts';
import type { NetworkConfiguration } from './configuration.ts';
import { CniError, cniErrorCodes, invalid } from './errors.ts';

const probeIntervalMs = 5_000;
const probeDeadlineMs = 30_000;

/** @throws CniError with code 11 while it may pass, with code 5 or 7 when it will not */
export async function passGates(
  configuration: NetworkConfiguration,
  node: string,
  datastore: Datastore,
): Promise<void> {
  const { node: meant, nodenameFile, isNodenameFileOptional, readinessGates } = configuration;
  if (meant !== undefined && meant !== node) {
    throw invalid(`The network configuration is for node "${meant}", and this is "${node}"`);
  }
  if (nodenameFile !== undefined) passNodenameFile(nodenameFile, isNodenameFileOptional, node);
  const deadline = AbortSignal.timeout(probeDeadlineMs);
  await Promise.all([passDatastore(datastore), ...readinessGates.map((url) => passUrl(url, deadline))]);
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
async function passUrl(url: string, deadline: AbortSignal): Promise<void> {
  for (;;) {
    let why: unknown;
    try {
      const { ok, status } = await fetch(url, { signal: deadline });
      if (ok) return;
      why = `it answered ${status}`;
    } catch (error) {
      why = error instanceof Error && error.cause instanceof Error ? error.cause.message : error;
    }
    await delay(probeIntervalMs, undefined, { signal: deadline }).catch((cause: unknown) => {
      throw new CniError(cniErrorCodes.tryAgainLater, `The readiness gate "${url}" is closed: ${why}`, {
        cause,
      });
    });
  }
}
