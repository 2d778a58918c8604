// The configuration as it stands: read from the cluster, made there when it is missing, followed as it changes, and what came
// of it written into its status.
import { isDeepStrictEqual } from 'node:util';
import {
  AlreadyExistsError,
  type Datastore,
  type Follower,
  ifUnchanged,
  replacingPatch,
} from '../../datastore/index.ts';
import type { Logger } from '../../process/index.ts';
import {
  apiVersionOf,
  kubeControllersConfigurations as configurations,
  type KubeControllersConfiguration,
} from '../../resources/index.ts';
import { type Configured, type RunningConfig, runningConfig } from './running-config.ts';

const name = 'default';

/** What a cluster says that has said nothing: Calico's defaults, but for what does nothing here and would seem to. */
const initial: KubeControllersConfiguration['spec'] = {
  logSeverityScreen: 'Info',
  healthChecks: 'Enabled',
  controllers: {
    node: {
      reconcilerPeriod: '5m',
      syncLabels: 'Enabled',
      leakGracePeriod: '15m',
      hostEndpoint: { autoCreate: 'Disabled', createDefaultHostEndpoint: 'Enabled' },
    },
    policy: { reconcilerPeriod: '5m' },
    workloadEndpoint: { reconcilerPeriod: '5m' },
    serviceAccount: { reconcilerPeriod: '5m' },
    namespace: { reconcilerPeriod: '5m' },
    loadBalancer: { assignIPs: 'AllServices' },
  },
};

export class FollowedConfiguration {
  readonly #datastore: Datastore;
  readonly #log: Logger;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #changed: (config: RunningConfig) => void;
  readonly #strayed: () => void;
  readonly #follower: Follower;
  #current: Configured | undefined;
  /** The status that was last reported. */
  #reported: KubeControllersConfiguration['status'];
  #object: KubeControllersConfiguration | undefined;
  #isUnreadable = false;

  /**
   * `changed` is called with the first configuration, and with every other that means something else; `strayed` whenever the
   * object does not say what was reported, or is gone.
   */
  constructor(options: {
    readonly datastore: Datastore;
    readonly log: Logger;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly changed: (config: RunningConfig) => void;
    readonly strayed: () => void;
  }) {
    this.#datastore = options.datastore;
    this.#log = options.log;
    this.#environment = options.environment;
    this.#changed = options.changed;
    this.#strayed = options.strayed;
    this.#follower = this.#datastore.follow(configurations, {
      onUpsert: (object) => {
        if (object.metadata.name !== name) return;
        this.#object = object;
        this.#isUnreadable = false;
        this.#judge();
      },
      // What it asked for before goes on, and at a start nothing is done: doing as if nothing were said could take things away.
      onMisfit: ({ metadata }) => {
        this.#isUnreadable ||= metadata.name === name;
      },
      onDelete: (key) => {
        if (key.name !== name) return;
        this.#object = undefined;
        this.#isUnreadable = false;
        this.#judge();
      },
      onInSync: () => {
        if (!this.#isUnreadable) this.#judge();
      },
    });
  }

  stop(): void {
    this.#follower.stop();
  }

  /** Makes the object where there is none. */
  async ensure(): Promise<void> {
    try {
      await this.#datastore.create(configurations, {
        apiVersion: apiVersionOf(configurations),
        kind: configurations.kind,
        metadata: { name },
        spec: initial,
      });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
  }

  /** Has the object's status say what runs, and nothing else. */
  async report(running: RunningConfig): Promise<void> {
    const status = { runningConfig: running, environmentVars: this.#current?.environmentVars ?? {} };
    this.#reported = status;
    if (isDeepStrictEqual(this.#object?.status, status)) return;
    const { metadata, status: former } = this.#object ?? {};
    // By the revision that was seen: what is not seen is not taken away. Of a later one the watch tells.
    const revision = metadata?.resourceVersion && { metadata: { resourceVersion: metadata.resourceVersion } };
    await ifUnchanged(() =>
      this.#datastore.mergePatch(
        configurations,
        { name },
        { ...revision, status: replacingPatch(former, status) },
        { subresource: 'status' },
      ),
    );
  }

  #judge(): void {
    const former = this.#current;
    const current = runningConfig(this.#object?.spec, this.#environment);
    this.#current = current;
    for (const fault of current.faults)
      if (!former?.faults.includes(fault)) this.#log.warn(`${fault}; it is as if it were not said`);
    for (const sentence of current.idle) if (!former?.idle.includes(sentence)) this.#log.warn(sentence);
    if (!isDeepStrictEqual(current.config, former?.config)) this.#changed(current.config);
    if (this.#reported && !isDeepStrictEqual(this.#object?.status, this.#reported)) this.#strayed();
  }
}
