// Brings about in the new group what a plan says.
import type { KubernetesClient } from '../../datastore/index.ts';
import type { PlannedObject } from './plan.ts';

/** Returns how many objects were written or deleted. @throws ConflictError, AlreadyExistsError when somebody else writes them, too */
export async function writePlanned(
  client: KubernetesClient,
  planned: readonly PlannedObject[],
  overwrites: boolean,
): Promise<number> {
  let written = 0;
  for (const { kind, action, object, present } of planned) {
    if (action === 'left-over' && present) await client.delete(kind.to, present.metadata);
    else if (!object || action === 'unchanged' || (action === 'differs' && !overwrites)) continue;
    else if (present) {
      const metadata = { ...present.metadata, ...object.metadata };
      await client.replace(kind.to, { ...object, metadata });
    } else await client.create(kind.to, object);
    written++;
  }
  return written;
}
