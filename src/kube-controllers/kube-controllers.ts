// calico-kube-controllers: waits to lead, then runs the controllers that the configuration asks for, until it is told to stop or
// another leads.
import { type Datastore, SoundDatastore } from '../datastore/index.ts';
import { healthPages, type Logger, metricsPages, ServedPort, WorkQueue } from '../process/index.ts';
import { FollowedConfiguration } from './configuration/followed-configuration.ts';
import type { RunningConfig } from './configuration/running-config.ts';
import type { Controller } from './controller.ts';
import { startControllers } from './controllers.ts';
import { LeaderElection } from './leader/leader-election.ts';
import { IpamMetrics } from './node/ipam-metrics.ts';
import type { KubeControllersOptions } from './options.ts';

const leaseName = 'calico-kube-controllers';

/** Somebody else may be writing the same object, and who replaces it deletes it first. */
const patienceMs = 1000;

const levels: Readonly<Record<RunningConfig['logSeverityScreen'], string>> = {
  None: 'silent',
  Debug: 'debug',
  Info: 'info',
  Warning: 'warn',
  Error: 'error',
  Fatal: 'fatal',
  Panic: 'fatal',
};

export class KubeControllers {
  readonly #datastore: Datastore;
  readonly #log: Logger;
  readonly #election: LeaderElection;
  readonly #configuration: FollowedConfiguration;
  readonly #metrics = new IpamMetrics();
  readonly #healthPort = new ServedPort(
    healthPages({
      liveness: () => [],
      readiness: () => (this.#config ? [] : ['the configuration is not read yet']),
    }),
  );
  readonly #metricsPort = new ServedPort(metricsPages(() => true));
  #config: RunningConfig | undefined;
  #controllers: Controller[] = [];
  readonly #reports: WorkQueue;
  /** What is being begun or ended; one after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(
    options: KubeControllersOptions,
    environment: Readonly<Record<string, string | undefined>>,
    store: Datastore,
    log: Logger,
  ) {
    const datastore = new SoundDatastore(store, (fault, error) => log.error({ error }, fault));
    this.#datastore = datastore;
    this.#log = log;
    this.#reports = new WorkQueue({
      work: async () => {
        // What is just being begun or ended is told as it will be.
        await this.#turn;
        if (!this.#config || !this.#election.isLeading) return;
        await this.#configuration.ensure();
        await this.#configuration.report(this.#inForce(this.#config));
      },
      onFailure: (_key, error) =>
        log.warn({ error }, 'Cannot say in the KubeControllersConfiguration what is in force; trying again'),
    });
    this.#election = new LeaderElection({
      datastore,
      log,
      lease: { namespace: options.namespace, name: leaseName },
      identity: options.identity,
      onLead: () => this.#inTurn(() => this.#restart()),
      onLost: () => this.#inTurn(() => this.#end()),
    });
    this.#configuration = new FollowedConfiguration({
      datastore,
      log,
      environment,
      changed: (config) => {
        this.#config = config;
        this.#inTurn(() => this.#heed(config));
      },
      strayed: () => this.#reports.addAfter('configuration', patienceMs),
    });
    // Whatever healthChecks says: the manifest's probes would start a program again and again that does not answer.
    this.#inTurn(() => this.#healthPort.serveAt(options.health));
    this.#election.start();
  }

  get isLeading(): boolean {
    return this.#election.isLeading;
  }

  async stop(): Promise<void> {
    this.#configuration.stop();
    await this.#election.stop();
    await Promise.all([this.#turn, this.#reports.stop()]);
    await Promise.all([this.#healthPort.close(), this.#metricsPort.close()]);
    await this.#datastore.close();
  }

  async #heed(config: RunningConfig): Promise<void> {
    this.#log.level = levels[config.logSeverityScreen];
    const port = config.prometheusMetricsPort;
    try {
      await this.#metricsPort.serveAt(port > 0 ? { host: '', port } : undefined);
    } catch (error) {
      this.#log.error({ error }, `Cannot serve metrics on port ${port}; they are served nowhere`);
    }
    await this.#restart();
  }

  #inForce(config: RunningConfig): RunningConfig {
    return { ...config, prometheusMetricsPort: this.#metricsPort.address?.port ?? 0 };
  }

  async #restart(): Promise<void> {
    await this.#end();
    if (!this.#config || !this.#election.isLeading) return;
    this.#controllers = startControllers(this.#config, this.#datastore, this.#metrics, this.#log);
    this.#reports.add('configuration');
    this.#log.info({ controllers: this.#controllers.map(({ name }) => name) }, 'Controllers run');
  }

  async #end(): Promise<void> {
    await Promise.all(this.#controllers.splice(0).map((controller) => controller.stop()));
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn
      .then(step)
      .catch((error: unknown) => this.#log.error({ error }, 'Cannot begin or end the controllers'));
    return this.#turn;
  }
}
