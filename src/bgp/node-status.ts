// CalicoNodeStatus: answers requests for facts about this node, as often as each asks for.
import type { Datastore, Follower } from '../datastore/index.ts';
import type { Family } from '../net/index.ts';
import { type Logger, timerMs } from '../process/index.ts';
import { type CalicoNodeStatus, calicoNodeStatuses } from '../resources/index.ts';
import { type BirdStatus, birdRoutes, birdStatus } from './bird/ask-bird.ts';
import type { LearnedRoute } from './bird/routes.ts';
import type { Session } from './bird/sessions.ts';

type Status = NonNullable<CalicoNodeStatus['status']>;
type Answer = { readonly status: BirdStatus; readonly routes: readonly LearnedRoute[] } | undefined;

export interface NodeStatusOptions {
  readonly node: string;
  readonly datastore: Datastore;
  readonly socketPath: string;
  readonly log: Logger;
}

export class NodeStatusReporter {
  readonly #options: NodeStatusOptions;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #follower: Follower | undefined;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
  }

  start(): void {
    this.#follower = this.#options.datastore.follow(calicoNodeStatuses, {
      onUpsert: (request) => this.#keep(request),
      onDelete: ({ name }) => this.#forget(name),
      onInSync: () => {},
    });
  }

  stop(): void {
    this.#follower?.stop();
    for (const name of [...this.#timers.keys()]) this.#forget(name);
  }

  /** Our own answers come back as changes of the object: only what is asked counts. */
  #keep(request: CalicoNodeStatus): void {
    const { name } = request.metadata;
    const { node, updatePeriodSeconds = 10 } = request.spec;
    const answeredMs = Date.parse(request.status?.lastUpdated ?? '');
    this.#forget(name);
    if (node !== this.#options.node || updatePeriodSeconds === 0) return;
    const periodMs = timerMs(updatePeriodSeconds * 1000);
    const waitMs = Number.isNaN(answeredMs)
      ? 0
      : Math.max(0, Math.min(answeredMs + periodMs - Date.now(), periodMs));
    const timer = setTimeout(() => void this.#answer(request, periodMs), waitMs);
    this.#timers.set(name, timer);
  }

  #forget(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  async #answer(request: CalicoNodeStatus, periodMs: number): Promise<void> {
    const { datastore, socketPath, log } = this.#options;
    const { name } = request.metadata;
    try {
      const status = statusFor(request.spec.classes ?? [], await ask(socketPath));
      await datastore.mergePatch(calicoNodeStatuses, { name }, { status }, { subresource: 'status' });
    } catch (error) {
      log.warn({ error }, `Cannot answer CalicoNodeStatus "${name}"; trying again`);
      // What is deleted meanwhile has no timer any more.
      if (this.#timers.has(name)) {
        this.#timers.set(
          name,
          setTimeout(() => void this.#answer(request, periodMs), periodMs),
        );
      }
    }
  }
}

/** Undefined while BIRD does not answer: that is a fact to report as well. */
async function ask(socketPath: string): Promise<Answer> {
  try {
    return { status: await birdStatus(socketPath), routes: await birdRoutes(socketPath) };
  } catch {
    return undefined;
  }
}

/** Only the classes that are asked for; null takes away what was told of the others. */
function statusFor(classes: readonly string[], answer: Answer): Record<keyof Status, unknown> {
  const isAsked = (name: string) => classes.includes(name);
  const sessions = answer?.status.sessions ?? [];
  const bird = answer
    ? {
        state: 'Ready',
        version: answer.status.daemon.version,
        routerID: answer.status.daemon.routerId,
        lastBootTime: answer.status.daemon.lastBoot.toISOString(),
        lastReconfigurationTime: answer.status.daemon.lastReconfiguration.toISOString(),
      }
    : { state: 'NotReady' };
  const count = (family: Family, isUp: boolean) =>
    sessions.filter((one) => one.family === family && (one.state === 'Established') === isUp).length;
  return {
    lastUpdated: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    // One BIRD serves both families.
    agent: isAsked('Agent') ? { birdV4: bird, birdV6: bird } : null,
    bgp: isAsked('BGP')
      ? {
          numberEstablishedV4: count(4, true),
          numberNotEstablishedV4: count(4, false),
          numberEstablishedV6: count(6, true),
          numberNotEstablishedV6: count(6, false),
          peersV4: sessions.filter(({ family }) => family === 4).map(peerOf),
          peersV6: sessions.filter(({ family }) => family === 6).map(peerOf),
        }
      : null,
    routes: isAsked('Routes')
      ? {
          routesV4: routesOf(answer?.routes ?? [], 4),
          routesV6: routesOf(answer?.routes ?? [], 6),
        }
      : null,
  };
}

function peerOf({ peer, kind, state, since }: Session) {
  const type = kind === 'Mesh' ? 'NodeMesh' : kind === 'Global' ? 'GlobalPeer' : 'NodePeer';
  return { peerIP: peer, type, state, since: since.toISOString() };
}

function routesOf(routes: readonly LearnedRoute[], family: Family) {
  return routes
    .filter((route) => route.family === family)
    .flatMap(({ type, destination, source, peer, hops }) =>
      (hops.length > 0 ? hops : [{} as LearnedRoute['hops'][number]]).map((hop) => ({
        type,
        destination,
        gateway: hop.gateway ?? 'N/A',
        interface: hop.interface ?? 'N/A',
        learnedFrom: { sourceType: source, ...(peer !== undefined && { peerIP: peer }) },
      })),
    );
}
