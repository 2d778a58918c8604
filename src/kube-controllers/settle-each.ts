// One object that cannot be settled does not keep the others from it.
import { keyOf, type Resource } from '../resources/index.ts';

/** Settles all of them, one after another. @throws AggregateError that names those which failed, after all have been tried */
export async function settleEach<T extends Resource>(
  objects: readonly T[],
  settle: (object: T) => Promise<void>,
): Promise<void> {
  const failures: Error[] = [];
  for (const object of objects) {
    try {
      await settle(object);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      failures.push(new Error(`${object.kind} "${keyOf(object)}": ${why}`, { cause }));
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
}
