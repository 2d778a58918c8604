// Nodes and pods of both families. To the prober each is two, with a name for each: what it probes is an address.
import type { Family } from '../../net/index.ts';

export const families: readonly Family[] = [4, 6];

const suffix = ' over IPv6';

/** What the prober calls a node or a pod ("namespace/name") in a family. */
export function probedAs(name: string, family: Family): string {
  return family === 4 ? name : `${name}${suffix}`;
}

/** Of a name from `probedAs`, or of a lane, which is named after the pods that it connects. */
export function familyProbed(name: string): Family {
  return name.includes(suffix) ? 6 : 4;
}
