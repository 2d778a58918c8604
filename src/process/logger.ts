// Logs: one JSON object a line on stderr, so that stdout stays the program's answer.
import pino from 'pino';

export type Logger = pino.Logger;

/** `level` is one of trace, debug, info, warn, error, fatal, silent. Tokens and passwords never reach a log. */
export function createLogger(name: string, level = 'info'): Logger {
  return pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['token', 'password', '*.token', '*.password', '*.authorization'],
        censor: '(hidden)',
      },
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
