// One object that cannot be read stops nobody: whoever can do without it asks this way.
import { MisfitError } from '../datastore/index.ts';

/** What `reading` comes to, or 'unreadable' where the store holds something that is not what its kind is. */
export async function orUnreadable<T>(reading: Promise<T>): Promise<T | 'unreadable'> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof MisfitError) return 'unreadable';
    throw error;
  }
}
