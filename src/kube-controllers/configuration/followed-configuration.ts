// The configuration as it stands: read from the cluster, made there when it is missing, followed as it changes, and what came
// of it written into its status.
import { isDeepStrictEqual } from 'node:util';
import { AlreadyExistsError, type Datastore, type Follower, NotFoundError } from '../../datastore/index.ts';
import type { Logger } from '../../process/index.ts';
import {
  apiVersionOf,
  kubeControllersConfigurations as configurations,
  type KubeControllersConfiguration,
} from '../../resources/index.ts';
import { type Configured, runningConfig } from './running-config.ts';

const name = 'default';

/** What a cluster says that has said nothing. */
const initial: KubeControllersConfiguration['spec'] = {
  logSeverityScreen: 'Info',
  healthChecks: 'Enabled',
  etcdV3CompactionPeriod: '10m',
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
    migration: { policyNameMigrator: 'Enabled' },
  },
};

export class FollowedConfiguration {
  readonly #datastore: Datastore;
  readonly #log: Logger;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #changed: (configured: Configured) => void;
  readonly #follower: Follower;
  #current: Configured | undefined;
  #object: KubeControllersConfiguration | undefined;
  #isUnreadable = false;

  /** `changed` is called with the first configuration, and with every other that means something else. */
  constructor(options: {
    readonly datastore: Datastore;
    readonly log: Logger;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly changed: (configured: Configured) => void;
  }) {
    this.#datastore = options.datastore;
    this.#log = options.log;
    this.#environment = options.environment;
    this.#changed = options.changed;
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

  /** Writes into the object's status what is in force. */
  async report(): Promise<void> {
    const { config: runningConfig, environmentVars } = this.#current ?? {};
    const status = { runningConfig, environmentVars };
    if (!runningConfig || isDeepStrictEqual(this.#object?.status, status)) return;
    try {
      await this.#datastore.mergePatch(configurations, { name }, { status }, { subresource: 'status' });
    } catch (error) {
      // Deleted meanwhile: there is nowhere to write it.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  #judge(): void {
    const configured = runningConfig(this.#object?.spec, this.#environment);
    if (isDeepStrictEqual(configured, this.#current)) return;
    for (const fault of configured.faults) this.#log.warn(`${fault}; it is as if it were not said`);
    this.#current = configured;
    this.#changed(configured);
  }
}
