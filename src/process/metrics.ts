// Metrics: counters by name, shown in Prometheus' text format where somebody asks for them.
import { Counter, collectDefaultMetrics, Gauge as PrometheusGauge, Registry } from 'prom-client';
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

export interface Gauge {
  /** Shows exactly these values: one for each combination of the labels' values, in the order of the labels. */
  set(values: readonly (readonly [labels: readonly string[], value: number])[]): void;
}

/** Figures that are counted anew each time. As with `tally`, whoever asks for a name again has the same. */
export function gauge(name: string, help: string, labels: readonly string[]): Gauge {
  const known = registry.getSingleMetric(name) as PrometheusGauge | undefined;
  const metric = known ?? new PrometheusGauge({ name, help, labelNames: [...labels], registers: [registry] });
  return {
    set(values) {
      metric.reset();
      for (const [texts, value] of values) {
        metric.set(Object.fromEntries(labels.map((label, index) => [label, texts[index] ?? ''])), value);
      }
    },
  };
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
