// Orderly shutdown: what has to be done before the process ends, once, whichever signal asks for it.

/**
 * Runs `close` at the first SIGTERM or SIGINT, and then ends the process: with 0, or with 1 when `close` fails or takes longer
 * than `deadlineMs`. A second signal ends it at once.
 */
export function onShutdown(close: () => Promise<void>, deadlineMs = 10_000): void {
  let isClosing = false;
  const shutDown = async () => {
    if (isClosing) process.exit(1);
    isClosing = true;
    setTimeout(() => process.exit(1), deadlineMs).unref();
    try {
      await close();
      process.exit(0);
    } catch (error) {
      process.stderr.write(`Cannot shut down in order: ${error instanceof Error ? error.message : error}\n`);
      process.exit(1);
    }
  };
  process.on('SIGTERM', shutDown);
  process.on('SIGINT', shutDown);
}
