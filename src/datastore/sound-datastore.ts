// A store as programs may believe it: objects that are not what their kind is, as somebody may have put them past every
// validation, are reported, and nobody is told of them as of the others, unless their kind says what they count for. What a handler
// throws at one object ends that object's part alone.
import {
  keyOf,
  misfit,
  type ObjectKey,
  type Reader,
  type Resource,
  type ResourceKind,
} from '../resources/index.ts';
import type { Datastore, Follower, FollowHandler, ListOptions, OnMisfit } from './datastore.ts';
import { MisfitError } from './errors.ts';

export class SoundDatastore implements Datastore {
  readonly #store: Datastore;
  readonly #report: (sentence: string, error?: unknown) => void;
  /** What was reported, lest every list repeats it. */
  readonly #reported = new Map<string, string>();

  readonly #reader: Reader;

  /** `report` is told of each such object, in a sentence, once for each state of it. */
  constructor(store: Datastore, report: (sentence: string, error?: unknown) => void, reader: Reader = {}) {
    this.#store = store;
    this.#report = report;
    this.#reader = reader;
  }

  /** @throws MisfitError besides */
  async get<T extends Resource>(kind: ResourceKind<T>, key: ObjectKey): Promise<T> {
    const { sound, fault } = this.#judge(kind, await this.#store.get(kind, key));
    if (sound) return sound;
    throw new MisfitError(`Cannot read ${kind.kind} "${keyOf({ metadata: key })}": ${fault}`);
  }

  /** Without those that are not what their kind is, but for what is left of some; `onMisfit` is told of all. */
  async list<T extends Resource>(
    kind: ResourceKind<T>,
    options?: ListOptions,
    onMisfit?: OnMisfit<T>,
  ): Promise<T[]> {
    return (await this.#store.list(kind, options)).flatMap((object) => {
      const { sound, fault } = this.#judge(kind, object);
      if (fault !== undefined) onMisfit?.(object, fault);
      return sound ?? [];
    });
  }

  create<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#store.create(kind, object);
  }

  update<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#store.update(kind, object);
  }

  updateStatus<T extends Resource>(kind: ResourceKind<T>, object: T): Promise<T> {
    return this.#store.updateStatus(kind, object);
  }

  mergePatch<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T> {
    return this.#store.mergePatch(kind, key, patch, options);
  }

  delete<T extends Resource>(
    kind: ResourceKind<T>,
    key: ObjectKey,
    precondition?: { readonly resourceVersion?: string; readonly uid?: string },
  ): Promise<void> {
    return this.#store.delete(kind, key, precondition);
  }

  follow<T extends Resource>(
    kind: ResourceKind<T>,
    handler: FollowHandler<T>,
    options?: ListOptions,
  ): Follower {
    // Whoever copes with misfits is told of them, and of their deletion; the others see objects come and go that are sound.
    const told = new Map<string, T>();
    const guard = (object: T, call: () => void): boolean => {
      try {
        call();
        return true;
      } catch (error) {
        this.#report(`Cannot take in ${kind.kind} "${keyOf(object)}"`, error);
        return false;
      }
    };
    const withdraw = (object: T) => {
      const key = keyOf(object);
      const last = handler.onMisfit ? object : told.get(key);
      told.delete(key);
      if (last) guard(object, () => handler.onDelete(objectKeyOf(object), last));
    };
    return this.#store.follow(
      kind,
      {
        onUpsert: (object) => {
          const { sound, fault } = this.#judge(kind, object);
          if (sound) {
            const stored = fault === undefined ? undefined : object;
            if (!handler.onMisfit) told.set(keyOf(object), sound);
            if (guard(object, () => handler.onUpsert(sound, stored))) return;
          }
          if (!handler.onMisfit) withdraw(object);
          else guard(object, () => handler.onMisfit?.(object, fault ?? 'it could not be taken in'));
        },
        onDelete: (_key, last) => {
          this.#reported.delete(placeOf(kind, last));
          withdraw(last);
        },
        onInSync: () => handler.onInSync(),
        onProgress: (progress) => handler.onProgress?.(progress),
      },
      options,
    );
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** The object as readers may believe it, or why they may not. */
  #judge<T extends Resource>(kind: ResourceKind<T>, object: T): Judgement<T> {
    const fault = misfit(kind, object);
    const place = placeOf(kind, object);
    if (fault === undefined) {
      this.#reported.delete(place);
      return { sound: object };
    }
    const salvage = kind.salvage?.(object, this.#reader);
    if (this.#reported.get(place) !== fault) {
      this.#reported.set(place, fault);
      const how = salvage?.how ?? 'nothing of it is believed';
      this.#report(`${kind.kind} "${keyOf(object)}" is not what it should be: ${fault}; ${how}`);
    }
    return { sound: salvage?.object, fault };
  }
}

/** At least one of them is there; both where something is left of a misfit. */
interface Judgement<T> {
  readonly sound?: T | undefined;
  readonly fault?: string;
}

function placeOf({ plural, group }: ResourceKind, object: Resource): string {
  return `${plural}.${group} ${keyOf(object)}`;
}

function objectKeyOf({ metadata: { namespace, name } }: Resource): ObjectKey {
  return namespace ? { namespace, name } : { name };
}
