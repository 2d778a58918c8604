// The wire between the `calico-lab` command and the supervisor that holds a cluster: one JSON request and one JSON answer
// per connection, over a unix socket in the run's folder that only its owner may open.
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Channel, ProbedPod } from './matrix/matrix.ts';
import type { Run } from './run/run.ts';
import type { Topology } from './topology/topology.ts';

export interface NodeReport {
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
  /** The agent's process; undefined while it is not running. */
  readonly agentPid?: number;
  readonly agentRestarts: number;
  readonly pods: number;
}

export interface StatusReport {
  readonly kubeconfig: string;
  readonly server: string;
  readonly nodes: readonly NodeReport[];
  readonly pods: readonly ProbedPod[];
}

export interface MatrixReport {
  readonly pods: readonly ProbedPod[];
  readonly channels: readonly Channel[];
  /** [channel, sender, receiver] of every open cell. */
  readonly open: readonly (readonly [number, number, number])[];
}

/** What can be asked, and what comes back. `stop` is answered once the cluster is gone. */
export interface ControlRequests {
  status: { ask: Record<string, never>; answer: StatusReport };
  matrix: { ask: { readonly channels: readonly Channel[] }; answer: MatrixReport };
  topology: { ask: Record<string, never>; answer: Topology };
  stop: { ask: Record<string, never>; answer: null };
}

type Name = keyof ControlRequests;

export type ControlHandlers = {
  readonly [N in Name]: (ask: ControlRequests[N]['ask']) => Promise<ControlRequests[N]['answer']>;
};

interface Request {
  readonly name: Name;
  readonly ask: never;
}

function socketPath(run: Run): string {
  return join(run.folder, 'control.sock');
}

/** Answers requests until closed. A request that fails is answered with its reason. */
export async function serveControl(run: Run, handlers: ControlHandlers): Promise<Server> {
  const answer = async (connection: Socket): Promise<void> => {
    let reply: object;
    try {
      const { name, ask } = JSON.parse(await readAll(connection)) as Request;
      reply = { answer: await handlers[name](ask) };
    } catch (error) {
      reply = { error: (error as Error).message };
    }
    connection.end(JSON.stringify(reply));
  };
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    // The asker may be interrupted while it waits; there is nobody left to tell then.
    connection.on('error', () => connection.destroy());
    void answer(connection);
  });
  server.listen(socketPath(run));
  await once(server, 'listening');
  chmodSync(socketPath(run), 0o600);
  return server;
}

/** Asks the supervisor of a run. @throws Error with its reason, or with ours when nobody answers */
export async function askControl<N extends Name>(
  run: Run,
  name: N,
  ask: ControlRequests[N]['ask'],
): Promise<ControlRequests[N]['answer']> {
  const connection = connect(socketPath(run));
  await once(connection, 'connect');
  connection.end(JSON.stringify({ name, ask }));
  const said = await readAll(connection);
  if (said === '') throw new Error(`The supervisor of cluster "${run.id}" hung up without an answer`);
  const reply = JSON.parse(said) as { answer: ControlRequests[N]['answer'] } | { error: string };
  if ('error' in reply) throw new Error(reply.error);
  return reply.answer;
}

/** What the other side says until it has finished. Reading it as a stream of its own would close our side as well. */
async function readAll(connection: Socket): Promise<string> {
  let said = '';
  connection.setEncoding('utf8');
  connection.on('data', (part) => {
    said += part;
  });
  await once(connection, 'end');
  return said;
}
