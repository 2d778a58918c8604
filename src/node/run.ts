// Runs calico-node, and starts it anew inside the same process when a setting has changed that its parts only take at their
// start. What is in the kernel stays there meanwhile, and is taken over.
import { setTimeout as delay } from 'node:timers/promises';
import type { Datastore } from '../datastore/index.ts';
import type { Logger } from '../process/index.ts';
import { type CalicoNode, startCalicoNode } from './calico-node.ts';
import { reportNoNetwork } from './network-condition.ts';
import type { NodeOptions } from './options.ts';

/** An API server that is away shall not keep a node from shutting down. */
const farewellMs = 1000;

export interface RunOptions {
  readonly options: NodeOptions;
  readonly openDatastore: () => Datastore;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** A new start failed; nothing of calico-node runs any more, and the process should end. */
  readonly onDeath: (error: unknown) => void;
}

/** Resolves when the node is ready for the first time. @throws whatever keeps it from starting */
export async function runCalicoNode({
  options,
  openDatastore,
  environment,
  log,
  onDeath,
}: RunOptions): Promise<Pick<CalicoNode, 'stop'>> {
  let isReady = false;
  let isStopping = false;
  let turn: Promise<unknown> = Promise.resolve();
  /** Undefined between two. */
  let current: CalicoNode | undefined;
  const first = Promise.withResolvers<void>();
  const fail = (error: unknown) => (isReady ? onDeath(error) : first.reject(error));
  const start = () => {
    const node = startCalicoNode({
      options,
      datastore: openDatastore(),
      environment,
      log,
      // Also of one that is not ready, and may never be before it starts anew.
      onRestartDue: (why) => {
        if (node !== current || isStopping) return;
        log.info(`Starting anew: ${why}`);
        current = undefined;
        turn = node.stop().then(() => {
          if (!isStopping) start();
        });
        turn.catch(fail);
      },
    });
    current = node;
    node.ready.then(
      () => {
        isReady = true;
        first.resolve();
      },
      (error) => {
        if (node === current && !isStopping) fail(error);
      },
    );
  };
  start();
  await first.promise;
  return {
    stop: async () => {
      isStopping = true;
      await turn;
      await current?.stop();
      if (isReady) await farewell(openDatastore(), options.node, log);
    },
  };
}

/** Those that are scheduled wait elsewhere; the pods that are here keep their network. */
async function farewell(datastore: Datastore, node: string, log: Logger): Promise<void> {
  const said = reportNoNetwork(datastore, node).catch((error) =>
    log.info({ error }, 'Cannot tell the cluster that calico-node ends'),
  );
  await Promise.race([said, delay(farewellMs, undefined, { ref: false })]);
  await datastore.close();
}
