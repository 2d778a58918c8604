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
    standardError(),
  );
}

/** What a full disk keeps of a log for later, in bytes; the rest is lost. */
const mostKept = 1024 * 1024;

/** A log that cannot be written ends no program. */
function standardError(): pino.DestinationStream {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: mostKept });
  // There is nobody left to tell. What was not written is tried again with the next line.
  destination.on('error', () => {});
  destination.on('drop', () => {
    try {
      destination.flushSync();
    } catch {
      // The disk is still full.
    }
  });
  return destination;
}
