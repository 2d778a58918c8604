// Starts the router of the kind that is asked for.
import type { ExternalRouter, RouterKind, RouterOptions } from './external-router.ts';
import { Frr } from './frr.ts';
import { GoBgp } from './gobgp.ts';

/** Resolves when it answers. @throws Error when its package is missing or it does not start */
export function startRouter(kind: RouterKind, options: RouterOptions): Promise<ExternalRouter> {
  return kind === 'frr' ? Frr.start(options) : GoBgp.start(options);
}
