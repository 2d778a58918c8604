// The Secrets that hold passwords, each followed by its name: nothing else of what is secret in the cluster is read.
import type { Datastore, Follower } from '../datastore/index.ts';
import { type Secret, secrets } from '../resources/index.ts';

export class FollowedSecrets {
  readonly #datastore: Datastore;
  readonly #namespace: string;
  readonly #changed: () => void;
  readonly #followers = new Map<string, Follower>();
  readonly #secrets = new Map<string, Secret>();
  readonly #inSync = new Set<string>();

  /** `changed` is called when a followed Secret has changed, and when one has been looked for. */
  constructor(datastore: Datastore, namespace: string, changed: () => void) {
    this.#datastore = datastore;
    this.#namespace = namespace;
    this.#changed = changed;
  }

  /** Follows these, and no others any more. */
  follow(names: readonly string[]): void {
    const wanted = new Set(names);
    for (const [name, follower] of this.#followers) {
      if (wanted.has(name)) continue;
      follower.stop();
      this.#followers.delete(name);
      this.#secrets.delete(name);
      this.#inSync.delete(name);
    }
    for (const name of wanted) if (!this.#followers.has(name)) this.#begin(name);
  }

  /** Whether each of them has been looked for. */
  get isInSync(): boolean {
    return [...this.#followers.keys()].every((name) => this.#inSync.has(name));
  }

  values(): Iterable<Secret> {
    return this.#secrets.values();
  }

  stop(): void {
    this.follow([]);
  }

  #begin(name: string): void {
    const follower = this.#datastore.follow(
      secrets,
      {
        onUpsert: (secret) => {
          this.#secrets.set(name, secret);
          this.#changed();
        },
        onDelete: () => {
          this.#secrets.delete(name);
          this.#changed();
        },
        onInSync: () => {
          this.#inSync.add(name);
          this.#changed();
        },
      },
      { namespace: this.#namespace, fieldSelector: `metadata.name=${name}` },
    );
    this.#followers.set(name, follower);
  }
}
