// One change to links, addresses, routes or neighbours as a value: what to send, and what to say when it is refused.
// The functions that make changes are in the files of their objects; `Rtnetlink` sends them.
import { type MessageWriter, nlmAck, nlmCreate, nlmExcl, nlmReplace, nlmRequest } from '../netlink/index.ts';

export interface Change {
  /** Names the attempt in an error: "add the route 10.0.0.0/24". */
  readonly what: string;
  /** RTM_* number. */
  readonly type: number;
  readonly flags: number;
  /** Errors of the kernel, by name, that mean that there is nothing to change. */
  readonly settled: readonly string[];
  /** Writes the family header and the attributes. */
  write(writer: MessageWriter): void;
}

type Write = (writer: MessageWriter) => void;

/** Makes an object; EEXIST when one is there, whatever it is like. */
export function addition(type: number, what: string, write: Write): Change {
  return { what: `add ${what}`, type, flags: nlmCreate | nlmExcl, settled: ['EEXIST'], write };
}

/** Makes an object, or makes the one that is there like it. */
export function replacement(type: number, what: string, write: Write): Change {
  return { what: `set ${what}`, type, flags: nlmCreate | nlmReplace, settled: [], write };
}

/** Changes an object that is there. */
export function alteration(type: number, what: string, write: Write): Change {
  return { what, type, flags: 0, settled: [], write };
}

/** Removes an object. Each kind of object has its own error for one that is not there, and all miss a link that is gone. */
export function removal(type: number, what: string, write: Write): Change {
  const settled = ['ENOENT', 'ESRCH', 'ENODEV', 'EADDRNOTAVAIL'];
  return { what: `delete ${what}`, type, flags: 0, settled, write };
}

export function writeChange(writer: MessageWriter, change: Change, sequence: number): void {
  writer.begin(change.type, nlmRequest | nlmAck | change.flags, sequence);
  change.write(writer);
  writer.end();
}
