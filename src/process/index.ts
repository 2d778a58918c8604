// The door of the process room: what every program needs of its process.
export { tryDurationMs } from './duration.ts';
export { felixHealthUrl, healthPages } from './health.ts';
export { KeyedLock } from './keyed-lock.ts';
export { createLogger, type Logger } from './logger.ts';
export { type Gauge, gauge, metricsPages, type Tally, tally } from './metrics.ts';
export { type Place, ServedPort } from './served-port.ts';
export { onShutdown } from './shutdown.ts';
export { ScarcityError, startProgram } from './start-program.ts';
export { timerMs } from './timer-ms.ts';
export { WorkQueue } from './work-queue.ts';
export { writeTextWhole, writeWhole } from './write-whole.ts';
