// The supervisor: the process that holds a cluster between `up` and `down`. It reports to the command that started it until
// the cluster is ready, then lives on its own, writes its log into the run's folder and answers on the control socket.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { abortOnSignals } from './abort.ts';
import type { ClusterShape } from './bgp/shape.ts';
import { Cluster } from './cluster.ts';
import { serveControl } from './control.ts';
import { denyAll } from './demo/stages.ts';
import type { Progress } from './terminal.ts';

/** What the supervisor tells the command that started it. */
export type SupervisorMessage =
  | { readonly kind: 'begin' | 'report' | 'failed'; readonly text: string }
  | { readonly kind: 'end'; readonly text?: string }
  | { readonly kind: 'ready'; readonly kubeconfig: string; readonly denyAll: string };

/** Runs until it is asked to stop, and returns the exit code; the cluster is gone then. */
export async function serve(id: string, shape: ClusterShape): Promise<number> {
  const stop = new AbortController();
  const ignoreSignals = abortOnSignals(stop);
  // Whoever waits for the cluster has given up, or was killed: nobody would know that it is there.
  const orphaned = () => stop.abort(new Error('The command that started the supervisor is gone'));
  process.on('disconnect', orphaned);
  const progress: Progress = {
    begin: (text) => tell({ kind: 'begin', text }),
    end: (text) => tell(text === undefined ? { kind: 'end' } : { kind: 'end', text }),
  };

  let cluster: Cluster | undefined;
  const log = (text: string): void => {
    if (cluster) appendFileSync(join(cluster.run.folder, 'lab.log'), `${new Date().toISOString()} ${text}\n`);
  };
  const report = (text: string): void => {
    log(text);
    tell({ kind: 'report', text });
  };
  const stopped = Promise.withResolvers<void>();
  process.on('uncaughtException', (error) => {
    log(`Ended by a fault of its own: ${error.stack}`);
    stop.abort(error);
  });
  try {
    cluster = await Cluster.start({ id, shape, progress, signal: stop.signal, report, agentDied: report });
    await cluster.startWorkload();
    const held = cluster;
    const control = await serveControl(held.run, {
      status: async () => held.status(),
      matrix: async ({ channels }) => held.report(channels),
      topology: async () => held.topology(),
      stop: async () => {
        stop.abort(new Error('Asked to stop'));
        await stopped.promise;
        return null;
      },
    });
    process.off('disconnect', orphaned);
    const denyAllPath = join(held.run.folder, 'deny-all.yaml');
    writeFileSync(denyAllPath, denyAll, { mode: 0o600 });
    log(`Ready: ${shape.nodes} nodes, API server ${held.status().server}`);
    tell({ kind: 'ready', kubeconfig: held.kubeconfig, denyAll: denyAllPath });
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
    control.close();
  } catch (error) {
    tell({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
    return 1;
  } finally {
    await cluster?.stop();
    stopped.resolve();
    ignoreSignals();
  }
  return 0;
}

/** Says nothing when nobody listens any more. */
function tell(message: SupervisorMessage): void {
  // The channel may close between the look and the sending; the callback takes that error, which concerns nobody.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
