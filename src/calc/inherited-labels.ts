// The labels that endpoints inherit: of their namespace and of their service account, each under its prefix. One map per
// namespace and account, shared by all who inherit from it.

export class InheritedLabels {
  readonly #prefix: string;
  readonly #nameLabel: string;
  readonly #labels = new Map<string, ReadonlyMap<string, string>>();

  constructor(prefix: string, nameLabel: string) {
    this.#prefix = prefix;
    this.#nameLabel = nameLabel;
  }

  /** Undefined when there is no such object. */
  get(key: string): ReadonlyMap<string, string> | undefined {
    return this.#labels.get(key);
  }

  /** Returns whether that changed anything. `name` is the object's own, `key` what endpoints know it by. */
  set(key: string, name: string, labels: Readonly<Record<string, string>> | undefined): boolean {
    const prefixed = new Map<string, string>();
    for (const [label, value] of Object.entries(labels ?? {})) prefixed.set(this.#prefix + label, value);
    prefixed.set(this.#prefix + this.#nameLabel, name);
    const known = this.#labels.get(key);
    if (known && sameEntries(known, prefixed)) return false;
    this.#labels.set(key, prefixed);
    return true;
  }

  delete(key: string): boolean {
    return this.#labels.delete(key);
  }
}

export function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
