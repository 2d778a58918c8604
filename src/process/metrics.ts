// Metrics: counters by name, shown in Prometheus' text format where somebody asks for them.
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Pages } from './served-port.ts';

const registry = new Registry();
const processRegistry = new Registry();

export interface Tally {
  /** Adds to the count of one value of the label. */
  add(value: string, by?: number): void;
}

/** A counter with one label. Metrics of one process share a registry: whoever asks for a name again goes on counting. */
export function tally(name: string, help: string, label: string): Tally {
  const known = registry.getSingleMetric(name) as Counter | undefined;
  const counter = known ?? new Counter({ name, help, labelNames: [label], registers: [registry] });
  return { add: (value, by = 1) => counter.inc({ [label]: value }, by) };
}

/** The page /metrics; with those of the process itself (CPU, memory, event loop) where wanted at that moment. */
export function metricsPages(withProcess: () => boolean): Pages {
  return (path) => {
    if (path !== '/metrics') return undefined;
    const shown = withProcess() ? Registry.merge([registry, ofProcess()]) : registry;
    return shown.metrics().then((text) => ({ status: 200, type: registry.contentType, text }));
  };
}

/** Collected from the first time that somebody asks. */
function ofProcess(): Registry {
  if (processRegistry.getMetricsAsArray().length === 0) collectDefaultMetrics({ register: processRegistry });
  return processRegistry;
}
