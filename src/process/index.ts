// The door of the process room: what every program needs of its process.
export { KeyedLock } from './keyed-lock.ts';
export { createLogger, type Logger } from './logger.ts';
export { serveMetrics, type Tally, tally } from './metrics.ts';
export { onShutdown } from './shutdown.ts';
