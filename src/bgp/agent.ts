// The BGP agent of one node: follows what decides about BGP, keeps BIRD's configuration in step with it, and says what is
// wrong with objects and with sessions.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Datastore, Follower } from '../datastore/index.ts';
import { type Logger, writeTextWhole } from '../process/index.ts';
import {
  type BGPConfiguration,
  type BGPFilter,
  type BGPPeer,
  type BlockAffinity,
  bgpConfigurations,
  bgpFilters,
  bgpPeers,
  blockAffinities,
  type EndpointSlice,
  endpointSlices,
  type IPPool,
  ipPools,
  keyOf,
  type Node,
  nodes,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
  type Service,
  services,
} from '../resources/index.ts';
import { BirdSupervisor } from './bird/supervisor.ts';
import { FollowedSecrets } from './followed-secrets.ts';
import type { Misfit } from './model/bgp-input.ts';
import type { BgpModel, Fault } from './model/bgp-model.ts';
import { type BgpOutcome, modelOf } from './model/model.ts';
import { isSameNode } from './model/node-facts.ts';
import { serviceRanges } from './model/services.ts';
import type { BgpPaths } from './paths.ts';
import type { BgpReport } from './report.ts';
import { configurationText } from './text/configuration.ts';

export interface BgpAgentOptions {
  readonly node: string;
  /** Of calico-node: where passwords are looked for. */
  readonly namespace: string;
  readonly datastore: Datastore;
  readonly paths: BgpPaths;
  /** Name or path of BIRD's program. */
  readonly program: string;
  readonly hasRoutesToRecover: () => boolean;
  /** Before a BIRD starts: gives routes that another Calico's has left without a metric this one, which ours have. */
  readonly adoptRoutes: (metric: number) => void;
  /** Has the node hear its own pods at these addresses, and at no others. */
  readonly hearPodsAt: (addresses: readonly string[]) => void;
  readonly log: Logger;
}

export class BgpAgent {
  readonly #options: BgpAgentOptions;
  readonly #bird: BirdSupervisor;
  readonly #followers: Follower[] = [];
  readonly #secrets: FollowedSecrets;
  readonly #nodes = new Map<string, Node>();
  readonly #configurations = new Map<string, BGPConfiguration>();
  readonly #peers = new Map<string, BGPPeer>();
  readonly #filters = new Map<string, BGPFilter>();
  readonly #pools = new Map<string, IPPool>();
  readonly #affinities = new Map<string, BlockAffinity>();
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #pods = new Map<string, Pod>();
  readonly #misfits = new Map<string, Misfit>();
  #kindsToSync = 0;
  #isScheduled = false;
  #isStopped = false;
  #faults: readonly Fault[] = [];
  /** Of IPv4 routes, as BIRD was last configured; undefined before it was, and where the node has no such address. */
  #metric: number | undefined;

  constructor(options: BgpAgentOptions) {
    this.#options = options;
    const { program, paths, log, hasRoutesToRecover, datastore, namespace } = options;
    this.#bird = new BirdSupervisor({
      program,
      paths,
      log,
      hasRoutesToRecover: () => {
        this.#adoptRoutes();
        return hasRoutesToRecover();
      },
      onTrouble: () => this.#report(),
    });
    this.#secrets = new FollowedSecrets(datastore, namespace, () => this.#schedule());
  }

  start(): void {
    const { node } = this.#options;
    // A node tells every few seconds that it lives, which is nothing to BGP.
    this.#follow(nodes, this.#nodes, {
      concerns: (object, before) => !before || !isSameNode(before, object),
    });
    this.#follow(bgpConfigurations, this.#configurations);
    this.#follow(bgpPeers, this.#peers);
    this.#follow(bgpFilters, this.#filters);
    this.#follow(ipPools, this.#pools);
    this.#follow(blockAffinities, this.#affinities, { concerns: ({ spec }) => spec.node === node });
    const concerns = () => this.#tellsOfServices;
    this.#follow(services, this.#services, { concerns });
    this.#follow(endpointSlices, this.#slices, { concerns });
    this.#follow(pods, this.#pods, {
      fieldSelector: `spec.nodeName=${node}`,
      concerns: () => [...this.#peers.values()].some(({ spec }) => spec.localWorkloadSelector),
    });
  }

  /** BIRD ends as for a restart: routes stay. */
  async stop(): Promise<void> {
    this.#unfollow();
    await this.#bird.stop();
  }

  /** Lets go of BIRD as a killed process does: it goes on as it is, until the next agent takes it over. */
  abandon(): void {
    this.#unfollow();
    this.#bird.abandon();
  }

  #unfollow(): void {
    this.#isStopped = true;
    for (const follower of this.#followers) follower.stop();
    this.#secrets.stop();
  }

  #follow<T extends Resource>(
    kind: ResourceKind<T>,
    objects: Map<string, T>,
    {
      fieldSelector,
      concerns = () => true,
    }: { fieldSelector?: string; concerns?: (object: T, before?: T) => boolean } = {},
  ): void {
    this.#kindsToSync++;
    const follower = this.#options.datastore.follow(
      kind,
      {
        onUpsert: (object) => {
          const wasMisfit = this.#misfits.delete(`${kind.kind} ${keyOf(object)}`);
          const before = objects.get(keyOf(object));
          objects.set(keyOf(object), object);
          if (wasMisfit || concerns(object, before)) this.#schedule();
        },
        onMisfit: (object, fault) => {
          objects.delete(keyOf(object));
          this.#misfits.set(`${kind.kind} ${keyOf(object)}`, { kind: kind.kind, key: keyOf(object), fault });
          this.#schedule();
        },
        onDelete: (key) => {
          const name = keyOf({ metadata: key });
          const last = objects.get(name);
          const wasMisfit = this.#misfits.delete(`${kind.kind} ${name}`);
          objects.delete(name);
          if (wasMisfit || (last && concerns(last))) this.#schedule();
        },
        onInSync: () => {
          this.#kindsToSync--;
          this.#schedule();
        },
      },
      fieldSelector === undefined ? {} : { fieldSelector },
    );
    this.#followers.push(follower);
  }

  get #tellsOfServices(): boolean {
    return [...this.#configurations.values()].some(({ spec }) =>
      serviceRanges.some((field) => (spec[field] ?? []).length > 0),
    );
  }

  #schedule(): void {
    // Half a picture would take sessions and routes down that another object is about to ask for.
    if (this.#isScheduled || this.#kindsToSync > 0 || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#configure();
    });
  }

  #configure(): void {
    if (this.#isStopped) return;
    const wanted = [...this.#peers.values()].map(({ spec }) => spec.password?.secretKeyRef?.name);
    const meshes = [...this.#configurations.values()].map(
      ({ spec }) => spec.nodeMeshPassword?.secretKeyRef?.name,
    );
    this.#secrets.follow([...wanted, ...meshes].filter((name): name is string => Boolean(name)));
    if (!this.#secrets.isInSync) return;
    const { paths, log } = this.#options;
    const { model, faults } = this.#model();
    const known = new Set(this.#faults.map(({ object, sentence }) => `${object}: ${sentence}`));
    for (const { object, sentence } of faults) {
      if (!known.has(`${object}: ${sentence}`)) log.warn(`${object}: ${sentence}`);
    }
    this.#faults = faults;
    this.#report();
    if (!model) return;
    this.#hearPods(model);
    this.#metric = model.families.find(({ family }) => family === 4)?.priority;
    this.#bird.apply(configurationText(model, { logFile: paths.log }));
  }

  #model(): BgpOutcome {
    const { node, namespace, log } = this.#options;
    try {
      return modelOf({
        node,
        namespace,
        nodes: this.#nodes.values(),
        configurations: this.#configurations.values(),
        peers: this.#peers.values(),
        filters: this.#filters.values(),
        pools: this.#pools.values(),
        affinities: this.#affinities.values(),
        services: this.#services.values(),
        endpointSlices: this.#slices.values(),
        secrets: this.#secrets.values(),
        pods: this.#pods.values(),
        misfits: this.#misfits.values(),
      });
    } catch (error) {
      log.error({ error }, 'Cannot make a configuration for BIRD of what the cluster says');
      const why = error instanceof Error ? error.message : String(error);
      const sentence = `BIRD keeps its configuration, for none can be made of what the cluster says: ${why}`;
      return { model: undefined, faults: [{ object: `Node "${node}"`, sentence }] };
    }
  }

  /** What cannot be adopted stays beside BIRD's own routes, and before them. */
  #adoptRoutes(): void {
    if (this.#metric === undefined) return;
    try {
      this.#options.adoptRoutes(this.#metric);
    } catch (error) {
      this.#options.log.error({ error }, 'Cannot adopt routes that an earlier BIRD has left on this node');
    }
  }

  /** Their sessions stay down where this fails; everybody else's are not concerned. */
  #hearPods({ peers }: BgpModel): void {
    const addresses = peers.flatMap(({ kind, sourceAddress }) =>
      kind === 'Local_Workload' && sourceAddress !== undefined ? [sourceAddress] : [],
    );
    try {
      this.#options.hearPodsAt([...new Set(addresses)]);
    } catch (error) {
      this.#options.log.error({ error }, 'Cannot set up the address at which pods speak BGP with this node');
    }
  }

  /** Leaves for others what cannot be seen in BIRD itself. */
  #report(): void {
    const { paths, node, log } = this.#options;
    const trouble = this.#bird.trouble;
    const report: BgpReport = { node, ...(trouble !== undefined && { trouble }), faults: this.#faults };
    try {
      mkdirSync(dirname(paths.report), { recursive: true });
      writeTextWhole(paths.report, 0o644, `${JSON.stringify(report)}\n`);
    } catch (error) {
      // A full disk is no reason to leave BIRD alone; the next change writes it again.
      log.warn({ error, path: paths.report }, 'Cannot leave word of BGP for others');
    }
  }
}
