// Which objects are closed because they, and not the rest, are what the kernel or the compiler could not take. A closed
// policy drops whatever is asked of it; a closed endpoint passes nothing. Each stays closed until it changes.
import type { AddressSet, Changes, DesiredState, SetChange } from '../../calc/index.ts';
import { TransactionError } from '../../kernel/index.ts';

/** What a message of a transaction, or a step of compiling one, is for. A content set is known by its name. */
export type Owner = `policy ${string}` | `endpoint ${string}` | `set ${string}` | `content ${string}`;

/** Something went wrong before the kernel was asked. */
class OwnedFault extends Error {
  override readonly name = 'OwnedFault';
  readonly owner: Owner;

  constructor(owner: Owner, cause: unknown) {
    super(`Cannot program ${owner}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.owner = owner;
  }
}

/** Computes something for the sake of one object, and lays at its door what goes wrong. */
export function ownedBy<T>(writer: { owner: string | undefined }, owner: Owner, compute: () => T): T {
  writer.owner = owner;
  try {
    return compute();
  } catch (cause) {
    throw new OwnedFault(owner, cause);
  }
}

/** Refusals that say nothing about the object that met them: memory is short, or the kernel is busy. */
const passing = new Set(['ENOMEM', 'ENOBUFS', 'EBUSY', 'EAGAIN', 'EINTR']);

/** Whether the same transaction may be taken at another time. */
export function mayPass(fault: unknown): boolean {
  return fault instanceof TransactionError && passing.has(fault.code);
}

export class Isolation {
  readonly #policies = new Set<string>();
  readonly #endpoints = new Set<string>();
  readonly #sets = new Set<string>();

  get isEmpty(): boolean {
    return this.#policies.size + this.#endpoints.size + this.#sets.size === 0;
  }

  isClosed(kind: 'policy' | 'endpoint' | 'set', key: string): boolean {
    return this.#of(kind).has(key);
  }

  /**
   * Closes what the fault is to be laid at the door of, and returns what that is, in words; nothing when it is nobody's
   * fault, when it may pass by itself, or when all that it names is closed already.
   */
  close(fault: unknown, state: DesiredState, usersOfContent: (name: string) => string[]): string[] {
    const owner = ownerOf(fault);
    if (!owner) return [];
    const closed: string[] = [];
    const close = (kind: 'policy' | 'endpoint' | 'set', key: string) => {
      const keys = this.#of(kind);
      if (!keys.has(key)) closed.push(`${kind} "${key}"`);
      keys.add(key);
    };
    const [kind, key] = split(owner);
    if (kind === 'policy' || kind === 'endpoint') close(kind, key);
    if (kind === 'content') for (const policy of usersOfContent(key)) close('policy', policy);
    if (kind === 'set') {
      close('set', key);
      // Whoever asks a set that is not there cannot tell whom to deny either.
      for (const [policy, program] of state.policies) if (mentions(program, key)) close('policy', policy);
    }
    return closed;
  }

  /**
   * What has changed may be well again. Returns the changes by which what is open again comes into a table that holds it closed:
   * of a set there is nothing yet, and policies that were closed for its sake are tried again with it.
   */
  reopen(state: DesiredState, changes: Changes): Changes {
    if (this.isEmpty) return changes;
    const sets = new Map(changes.sets);
    const policies = new Set(changes.policies);
    for (const key of changes.endpoints) this.#endpoints.delete(key);
    for (const key of changes.sets.keys()) {
      const set = this.#sets.delete(key) && state.sets.get(key);
      if (!set) continue;
      sets.set(key, wholeSet(set));
      for (const policy of this.#policies)
        if (mentions(state.policies.get(policy), key)) policies.add(policy);
    }
    for (const key of policies) {
      const program = state.policies.get(key);
      const isStillBlind = [...this.#sets].some((set) => mentions(program, set));
      if (isStillBlind) this.#policies.add(key);
      else this.#policies.delete(key);
    }
    return { ...changes, sets, policies };
  }

  /** Everything is tried again: what could not be done may be possible by now. */
  clear(): void {
    for (const keys of [this.#policies, this.#endpoints, this.#sets]) keys.clear();
  }

  #of(kind: 'policy' | 'endpoint' | 'set'): Set<string> {
    return { policy: this.#policies, endpoint: this.#endpoints, set: this.#sets }[kind];
  }
}

/** The change by which all of a set comes into a table that has nothing of it. */
export function wholeSet({ members, nets }: AddressSet): SetChange {
  return { added: [...members.keys()], removed: [], netsChanged: nets.size > 0 };
}

function ownerOf(fault: unknown): Owner | undefined {
  if (fault instanceof OwnedFault) return fault.owner;
  if (fault instanceof TransactionError && !mayPass(fault)) return fault.owner as Owner | undefined;
  return undefined;
}

function split(owner: Owner): [kind: 'policy' | 'endpoint' | 'set' | 'content', key: string] {
  const at = owner.indexOf(' ');
  return [owner.slice(0, at) as 'policy', owner.slice(at + 1)];
}

/** Whether a text stands anywhere in a plain object: rules name sets in several places. */
function mentions(value: unknown, text: string): boolean {
  if (value === text) return true;
  return (
    typeof value === 'object' && value !== null && Object.values(value).some((part) => mentions(part, text))
  );
}
