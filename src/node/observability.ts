// What can be seen of calico-node from outside: its log's detail, its health and its metrics, as the settings have them now.
import type { Felix, FelixSettings } from '../felix/index.ts';
import { healthPages, type Logger, metricsPages, type Place, ServedPort } from '../process/index.ts';
import type { WaysToOthers } from './ways-to-others.ts';

const levels = {
  Trace: 'trace',
  Debug: 'debug',
  Info: 'info',
  Warning: 'warn',
  Error: 'error',
  Fatal: 'fatal',
} as const;

export class Observability {
  readonly #log: Logger;
  readonly #health: ServedPort;
  readonly #metrics: ServedPort;
  #settings: FelixSettings;
  /** Undefined until it has been made, and again when it has been stopped. */
  #felix: Felix | undefined;
  #ways: Pick<WaysToOthers, 'unready'> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(settings: FelixSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#health = new ServedPort(
      healthPages({ liveness: () => this.#deadParts(), readiness: () => this.#unreadyParts() }),
    );
    this.#metrics = new ServedPort(metricsPages(() => this.#settings.prometheusProcessMetricsEnabled));
  }

  /** Whose health it is. */
  observe(felix: Felix, ways: Pick<WaysToOthers, 'unready'>): void {
    this.#felix = felix;
    this.#ways = ways;
  }

  /** A port that is taken is reported and served when settings change again: it is no reason to leave pods without an agent. */
  apply(settings: FelixSettings): Promise<void> {
    this.#settings = settings;
    this.#log.level = levels[settings.logSeverityScreen];
    const { healthEnabled, healthHost, healthPort } = settings;
    const { prometheusMetricsEnabled, prometheusMetricsHost, prometheusMetricsPort } = settings;
    this.#turn = this.#turn.then(async () => {
      await this.#serve(
        'health',
        this.#health,
        healthEnabled ? { host: healthHost, port: healthPort } : undefined,
      );
      await this.#serve(
        'metrics',
        this.#metrics,
        prometheusMetricsEnabled
          ? { host: prometheusMetricsHost, port: prometheusMetricsPort, ...tlsOf(settings) }
          : undefined,
      );
    });
    return this.#turn;
  }

  async close(): Promise<void> {
    await this.#turn;
    await Promise.all([this.#health.close(), this.#metrics.close()]);
  }

  async #serve(what: string, served: ServedPort, place: Place | undefined) {
    try {
      await served.serveAt(place);
    } catch (error) {
      this.#log.error({ error, ...place }, `Cannot serve ${what}`);
    }
  }

  #unreadyParts(): string[] {
    if (!this.#felix?.isInSync) return ['Felix has not seen all of the cluster yet'];
    return [
      ...(this.#felix.isInDoubt
        ? ['Felix could not bring its state into the kernel and is trying again']
        : []),
      ...(this.#ways?.unready ?? []),
    ];
  }

  /** A dataplane that fails and fails is tried again by a new process, as upstream's watchdog has it. */
  #deadParts(): string[] {
    const limitMs = this.#settings.dataplaneWatchdogTimeout;
    const doubtMs = this.#felix?.inDoubtMs ?? 0;
    if (limitMs === 0 || doubtMs <= limitMs) return [];
    return [`Felix has failed to bring its state into the kernel for ${Math.round(doubtMs / 1000)} s`];
  }
}

/** As upstream: with a certificate and its key metrics are served over TLS, without either as they are. */
function tlsOf(settings: FelixSettings): Partial<Place> {
  const [certFile, keyFile] = [settings.prometheusMetricsCertFile, settings.prometheusMetricsKeyFile];
  if (!certFile || !keyFile) return {};
  return {
    tls: {
      certFile,
      keyFile,
      caFile: settings.prometheusMetricsCAFile,
      clientAuth: settings.prometheusMetricsClientAuth,
    },
  };
}
