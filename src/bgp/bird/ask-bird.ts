// Questions to a running BIRD, by whoever may open its socket: calico-node itself, or calicoctl on the same machine.
import { BirdConnection } from './control-socket.ts';
import { type DaemonStatus, daemonStatusIn } from './daemon.ts';
import { type LearnedRoute, routesIn } from './routes.ts';
import { type Session, sessionsIn } from './sessions.ts';

export interface BirdStatus {
  readonly daemon: DaemonStatus;
  readonly sessions: readonly Session[];
}

/** @throws Error with the system's code (ENOENT, ECONNREFUSED) when BIRD does not run */
async function askBird<T>(socketPath: string, questions: (bird: BirdConnection) => Promise<T>): Promise<T> {
  const connection = await BirdConnection.open(socketPath);
  try {
    return await questions(connection);
  } finally {
    connection.close();
  }
}

/** @throws as `askBird` */
export function birdStatus(socketPath: string): Promise<BirdStatus> {
  return askBird(socketPath, async (bird) => ({
    daemon: daemonStatusIn(await bird.ask('show status')),
    sessions: sessionsIn(await bird.ask('show protocols all')),
  }));
}

/** Every route that BIRD knows. @throws as `askBird` */
export function birdRoutes(socketPath: string): Promise<LearnedRoute[]> {
  return askBird(socketPath, async (bird) => {
    const sessions = sessionsIn(await bird.ask('show protocols all'));
    return routesIn(await bird.ask('show route all'), sessions);
  });
}

/** Which of its own routes, that no peer told it, BIRD tells each session that is up: destinations by the session's name. @throws as `askBird` */
export function birdAdvertised(socketPath: string): Promise<Map<string, string[]>> {
  return askBird(socketPath, async (bird) => {
    const sessions = sessionsIn(await bird.ask('show protocols all'));
    const told = new Map<string, string[]>();
    for (const { name, state } of sessions) {
      // A session that is not up has no table to ask for.
      if (state !== 'Established') continue;
      const own = await bird.ask(`show route export ${name} where source != RTS_BGP`);
      told.set(
        name,
        routesIn(own, sessions).map(({ destination }) => destination),
      );
    }
    return told;
  });
}

/** Why BGP is not ready, a sentence for each reason; nothing when it is. A session that is not up is named with its reason. */
export function unreadyReasons({ daemon, sessions }: BirdStatus): string[] {
  const reasons = sessions
    .filter(({ state }) => state !== 'Established')
    .map(({ peer, name, state, reason }) => {
      const why = reason ? `: ${reason}` : '';
      return `BGP is not established with ${peer} (${name}), which is ${state}${why}`;
    });
  return daemon.isRecovering
    ? ['BIRD is restarting gracefully and waits for its peers', ...reasons]
    : reasons;
}
