// Writes by what was seen of the store, which may be behind it.
import { AlreadyExistsError, ConflictError, NotFoundError } from './errors.ts';

/**
 * Returns whether it was written: false when the object has been made, changed or deleted since it was seen, of which the watch
 * tells. @throws whatever else the write throws
 */
export async function ifUnchanged(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if ([AlreadyExistsError, ConflictError, NotFoundError].some((type) => error instanceof type))
      return false;
    throw error;
  }
}
