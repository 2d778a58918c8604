// What became of one object, and how that is told: a line for people as it happens, one JSON document for programs.
import type { Problem } from '../problem.ts';

export type Change =
  | 'created'
  | 'configured'
  | 'unchanged'
  | 'replaced'
  | 'deleted'
  | 'patched'
  | 'labeled'
  | 'skipped';

export interface Outcome {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly file?: string;
  readonly line?: number;
  readonly result: Change;
  /** Present when nothing was written. */
  readonly dryRun?: 'server' | 'client';
  /** Why it was skipped, or what was labelled. */
  readonly note?: string;
  /** Unified diff from what was stored, in YAML; empty when there is no difference. */
  readonly diff?: string;
}

export interface Failure {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly file?: string;
  readonly line?: number;
  readonly result: 'failed';
  readonly problems: readonly Problem[];
}

/** `IPPool "default" created`, `NetworkPolicy "shop/db" unchanged (server dry run)`. */
export function describeOutcome({ kind, name, namespace, result, note, dryRun }: Outcome): string {
  const key = namespace ? `${namespace}/${name}` : name;
  const remarks = `${note ? `: ${note}` : ''}${dryRun ? ` (${dryRun} dry run)` : ''}`;
  return `${kind} "${key}" ${result}${remarks}`;
}
