// Interruption: how a person's Ctrl-C, or the death of a part, ends whatever is being waited for.

/** A person, or their shell, asked for the end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** The promise's outcome, or the signal's reason should that come first. The promise itself goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Aborts the controller on SIGINT, SIGTERM or SIGHUP, or when nobody reads the output any more; returns how to stop listening.
 * A closed output stays harmless from then on.
 */
export function abortOnSignals(controller: AbortController): () => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const closed = () => controller.abort(new Interrupted('Interrupted: the output was closed'));
  for (const output of [process.stdout, process.stderr]) output.on('error', closed);
  const abort = (name: NodeJS.Signals) => controller.abort(new Interrupted(`Interrupted by ${name}`));
  for (const name of names) process.on(name, abort);
  return () => {
    for (const name of names) process.off(name, abort);
  };
}
