// `calico-lab up`: starts a supervisor that outlives this command, shows its progress, and says how to use the cluster.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { abortOnSignals } from './abort.ts';
import { type ClusterShape, shapeArguments } from './bgp/shape.ts';
import { removeAbandonedRuns } from './run/cleanup.ts';
import { runVariable } from './run/processes.ts';
import { findRun, namespacePrefix } from './run/run.ts';
import type { SupervisorMessage } from './serve.ts';
import { paint, say, terminalProgress } from './terminal.ts';

/** Resolves once the cluster is up (0), or is gone again because it failed (1) or was interrupted (130). */
export async function up(id: string, shape: ClusterShape): Promise<number> {
  await removeAbandonedRuns();
  const running = findRun(id);
  if (running)
    throw new Error(
      `Cluster "${id}" is already up; see "calico-lab status" or end it with "calico-lab down"`,
    );

  const interrupted = new AbortController();
  const ignoreSignals = abortOnSignals(interrupted);
  const progress = terminalProgress(process.stdout);
  const supervisor = fork(
    join(import.meta.dirname, '..', '..', 'bin', 'calico-lab.ts'),
    ['serve', '--name', id, ...shapeArguments(shape)],
    // Of its own session, so that neither a closed terminal nor its Ctrl-C ends it; it speaks through the channel and its log.
    {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...process.env, [runVariable]: id },
    },
  );
  // Without a channel to us before it is ready, the supervisor takes the cluster down and ends.
  interrupted.signal.addEventListener('abort', () => supervisor.disconnect());

  say();
  const code = await new Promise<number>((resolve) => {
    supervisor.on('message', (message: SupervisorMessage) => {
      if (message.kind === 'begin') progress.begin(message.text);
      else if (message.kind === 'end') progress.end(message.text);
      else if (message.kind === 'report') say(`  ${paint('yellow', '!')} ${message.text}`);
      else if (message.kind === 'failed') say(`  ${paint('red', '✗')} ${message.text}`);
      else if (message.kind === 'ready') {
        sayHowToUse(id, message.kubeconfig, message.denyAll);
        resolve(0);
      }
    });
    supervisor.on('error', (error) => {
      say(`  ${paint('red', '✗')} Cannot start the supervisor: ${error.message}`);
      resolve(1);
    });
    supervisor.on('exit', () => resolve(interrupted.signal.aborted ? 130 : 1));
  });
  ignoreSignals();
  if (code === 130) say(`  ${paint('yellow', '!')} Interrupted; everything of cluster "${id}" was removed`);
  if (supervisor.connected) supervisor.disconnect();
  supervisor.unref();
  return code;
}

function sayHowToUse(id: string, kubeconfig: string, denyAllPath: string): void {
  const name = id === 'lab' ? '' : ` --name ${id}`;
  const lines = [
    '',
    paint('bold', 'The cluster is up. Tell kubectl where it is:'),
    '',
    `  export KUBECONFIG=${kubeconfig}`,
    '',
    paint('bold', 'Three things to try:'),
    '',
    ...[
      ['kubectl get pods -A -o wide', 'the pods, their addresses and their nodes'],
      [`npx calico-lab matrix${name}`, 'who reaches whom, probed in the kernel'],
      [`kubectl apply -f ${denyAllPath}`, 'isolate namespace test, then look at the matrix again'],
    ].map(([command = '', purpose = '']) => `  ${command.padEnd(52)} ${paint('dim', `# ${purpose}`)}`),
    '',
    `End it with ${paint('bold', `npx calico-lab down${name}`)}; its network namespaces are ${namespacePrefix(id)}.*`,
    '',
  ];
  for (const line of lines) say(line);
}
