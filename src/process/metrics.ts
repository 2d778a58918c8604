// Metrics: counters by name, served in Prometheus' text format where somebody asks for them.
import { createServer, type Server } from 'node:http';
import { Counter, Registry } from 'prom-client';

const registry = new Registry();

export interface Tally {
  /** Adds to the count of one value of the label. */
  add(value: string, by?: number): void;
}

/** A counter with one label. Metrics of one process share a registry, so a name is used once. */
export function tally(name: string, help: string, label: string): Tally {
  const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
  return { add: (value, by = 1) => counter.inc({ [label]: value }, by) };
}

/** Resolves when metrics are served at /metrics. @throws Error when the port is taken */
export async function serveMetrics(host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
