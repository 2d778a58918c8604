// A follower that writes down what it hears, and lets a test wait for it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FollowHandler } from '../../src/datastore/index.ts';
import type { ObjectKey, Resource } from '../../src/resources/index.ts';

export class Recorder<T extends Resource> implements FollowHandler<T> {
  /** "+ name", "- name", "in sync". */
  readonly events: string[] = [];
  #wake: () => void = () => {};

  onUpsert(object: T): void {
    this.#add(`+ ${object.metadata.name}`);
  }

  onDelete(key: ObjectKey): void {
    this.#add(`- ${key.name}`);
  }

  onInSync(): void {
    this.#add('in sync');
  }

  /** Resolves when the events satisfy the condition. @throws Error after `deadlineMs` */
  async until(condition: (events: readonly string[]) => boolean, deadlineMs = 10_000): Promise<void> {
    const deadline = new AbortController();
    const expired = sleep(deadlineMs, 'expired' as const, { signal: deadline.signal });
    expired.catch(() => {
      // Cleared below, once the condition holds.
    });
    try {
      while (!condition(this.events)) {
        const news = new Promise<'news'>((resolve) => {
          this.#wake = () => resolve('news');
        });
        if ((await Promise.race([news, expired])) === 'expired') {
          throw new Error(`Nothing more within ${deadlineMs} ms after: ${this.events.join(', ')}`);
        }
      }
    } finally {
      deadline.abort();
    }
  }

  #add(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}
