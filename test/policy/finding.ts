// What is wrong with a random cluster, and whether a smaller one shows the same.
import type { Cluster } from '../../src/policy/index.ts';
import type { Differences } from './differences.ts';

export interface Finding {
  /** In a sentence. */
  readonly difference: string;
  /** Never throws: what cannot be looked at shows nothing. */
  readonly isIn: (smaller: Cluster) => boolean;
}

/** `look` tells the difference, or throws what the calculation does not understand, or trips over. */
export function findIn(
  cluster: Cluster,
  look: (cluster: Cluster) => Differences,
): { packets: number; finding?: Finding } {
  const looked = attempt(() => look(cluster));
  if ('thrown' in looked) {
    const isIn = (smaller: Cluster) => {
      const again = attempt(() => look(smaller));
      return 'thrown' in again && again.thrown === looked.thrown;
    };
    return { packets: 0, finding: { difference: looked.sentence, isIn } };
  }
  const { packets, difference } = looked.value;
  if (difference === undefined) return { packets };
  const isIn = (smaller: Cluster) => {
    const again = attempt(() => look(smaller));
    return 'value' in again && again.value.difference !== undefined;
  };
  return { packets, finding: { difference, isIn } };
}

type Attempted<T> = { readonly value: T } | { readonly thrown: string; readonly sentence: string };

/** `thrown` is without numbers: a part that goes moves those behind it up. */
function attempt<T>(look: () => T): Attempted<T> {
  try {
    return { value: look() };
  } catch (error) {
    const sentence = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const message = error instanceof Error ? error.message : sentence;
    return { thrown: message.replaceAll(/\d+/g, ''), sentence };
  }
}
