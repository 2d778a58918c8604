// Readings of what may not be there.
import { NotFoundError } from './errors.ts';

/** Undefined when there is no such object, or nobody knows its kind. @throws whatever else the reading throws */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
