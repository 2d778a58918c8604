// Changes to the ways to other nodes, each with whose way it is, so that one that the kernel refuses can be named and leaves the
// others as they are.
import type { Change, Rtnetlink } from '../../kernel/index.ts';

export interface WayChange {
  readonly change: Change;
  /** Whose way it is a part of, in words: `node "a"`. */
  readonly whose: string;
}

/** What came of making the kernel hold what it should. */
export interface Outcome {
  /** What was changed, in words. */
  readonly changed: readonly string[];
  /** What is not there that should be, a sentence each. */
  readonly lacking: readonly string[];
}

/** Makes all of them that the kernel takes. */
export function makeChanges(rtnetlink: Rtnetlink, changes: readonly WayChange[]): Outcome {
  const refused = rtnetlink.ensureAll(changes.map(({ change }) => change));
  const errors = new Map(refused.map(({ change, error }) => [change, error]));
  const lacking = changes.flatMap(({ change, whose }) => {
    const error = errors.get(change);
    return error ? [`The way to ${whose} is not as it should be: ${error.message}`] : [];
  });
  const made = changes.filter(({ change }) => !errors.has(change));
  return { changed: made.map(({ change }) => change.what), lacking };
}
