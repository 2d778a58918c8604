// What the agent leaves in a file beside BIRD's socket: faults of objects, and why BIRD does not run. Others on the machine
// read it together with what BIRD says of itself.
import { readFileSync } from 'node:fs';
import type { Fault } from './model/bgp-model.ts';

export interface BgpReport {
  readonly node: string;
  /** Why BIRD does not run as it should. */
  readonly trouble?: string;
  /** Objects that are closed or left out, in whole or in part. */
  readonly faults: readonly Fault[];
}

/** Undefined when no agent has run here. */
export function readBgpReport(path: string): BgpReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as BgpReport;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
