// A parameter of Felix: one line of data in the tables beside this file.
import type { Kind } from './kinds.ts';

/**
 * What a new value does: `live` is taken up at once; for `restart` calico-node starts anew by itself, in order, while the
 * kernel goes on enforcing; one without effect here is accepted, and says why it has none.
 */
export type Effect = 'live' | 'restart' | { readonly none: string };

export interface Parameter<T> {
  readonly kind: Kind<T>;
  /** As upstream writes its default; read by the kind like any other value. */
  readonly otherwise: string;
  readonly effect: Effect;
  /** The variable's name behind "FELIX_", where it is not the parameter's in upper case. */
  readonly variable?: string;
  /** The resource has no such field: it can only be said on the node. */
  readonly isLocal?: true;
  /** In a sentence, of one that is not upstream's. */
  readonly what?: string;
}

/** `variable` as in `Parameter`. */
export function parameter<T>(
  kind: Kind<T>,
  otherwise: string,
  effect: Effect,
  variable?: string,
): Parameter<T> {
  return { kind, otherwise, effect, ...(variable && { variable }) };
}

/** A parameter that only environment and file can say. */
export function local<T>(kind: Kind<T>, otherwise: string, effect: Effect): Parameter<T> {
  return { kind, otherwise, effect, isLocal: true };
}

/** A parameter that upstream does not have, and so its resource neither. */
export function own<T>(kind: Kind<T>, otherwise: string, effect: Effect, what: string): Parameter<T> {
  return { kind, otherwise, effect, what, isLocal: true };
}

/** The name of a parameter's environment variable. */
export function variableOf(name: string, { variable }: Parameter<unknown>): string {
  return `FELIX_${variable ?? name.toUpperCase()}`;
}
