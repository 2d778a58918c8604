// Runs calico-node, and starts it anew inside the same process when a setting has changed that its parts only take at their
// start. What is in the kernel stays there meanwhile, and is taken over.
import type { Datastore } from '../datastore/index.ts';
import type { Logger } from '../process/index.ts';
import { type CalicoNode, startCalicoNode } from './calico-node.ts';
import type { NodeOptions } from './options.ts';

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
}: RunOptions): Promise<CalicoNode> {
  let isStopping = false;
  let turn: Promise<unknown> = Promise.resolve();
  const start = () =>
    startCalicoNode({ options, datastore: openDatastore(), environment, log, onRestartDue: restart });
  const restart = (why: string) => {
    turn = turn.then(async () => {
      if (isStopping) return;
      log.info(`Starting anew: ${why}`);
      await node.stop();
      node = await start();
    });
    turn.catch(onDeath);
  };
  let node = await start();
  return {
    stop: async () => {
      isStopping = true;
      await turn;
      await node.stop();
    },
  };
}
