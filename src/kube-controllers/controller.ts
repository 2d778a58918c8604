// What every controller is: something that brings one kind of thing into order, again and again, until it is stopped.
import type { Datastore } from '../datastore/index.ts';
import type { Logger } from '../process/index.ts';

export interface ControllerContext {
  readonly datastore: Datastore;
  readonly log: Logger;
  /** How often everything is compared again, in ms; 0 for never. */
  readonly reconcilerPeriodMs: number;
}

export interface Controller {
  /** As ENABLED_CONTROLLERS calls it. */
  readonly name: string;
  /** Resolves when what was being done has ended; nothing is written afterwards. */
  stop(): Promise<void>;
}
