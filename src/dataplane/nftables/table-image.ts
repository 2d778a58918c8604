// A table as it should be, written by the same calls as a transaction, and what of it the kernel holds otherwise. This is
// how somebody else's hand is found where no event told of it. Counters, handles and the order of elements do not matter.
import type { Chain, Element, Expression, Nftables, NftSet, Rule, Table } from '../../kernel/index.ts';

/** The calls of a transaction that programs are made of. */
export interface TableWriter {
  /** For whose sake the next calls are. */
  owner: string | undefined;
  addTable(options?: { readonly owned?: boolean }): void;
  deleteTable(): void;
  addChain(chain: Chain): void;
  flushChain(name: string): void;
  deleteChain(name: string): void;
  addRule(rule: Rule): void;
  addSet(set: NftSet): void;
  deleteSet(name: string): void;
  addElements(set: NftSet, elements: readonly Element[]): void;
  deleteElements(set: NftSet, elements: readonly Element[]): void;
}

/** Only what makes a table from nothing is recorded; a program that begins has nothing to take away. */
export class TableImage implements TableWriter {
  owner: string | undefined;
  readonly #chains = new Map<string, string>();
  readonly #rules = new Map<string, string[]>();
  readonly #sets = new Map<string, Set<string>>();

  addTable(): void {}
  deleteTable(): void {}
  flushChain(): void {}
  deleteChain(): void {}
  deleteSet(): void {}
  deleteElements(): void {}

  addChain(chain: Chain): void {
    this.#chains.set(chain.name, textOfChain(chain));
    this.#rules.set(chain.name, []);
  }

  addRule(rule: Rule): void {
    this.#rules.get(rule.chain)?.push(textOfRule(rule));
  }

  addSet({ name }: NftSet): void {
    this.#sets.set(name, new Set());
  }

  addElements({ name }: NftSet, elements: readonly Element[]): void {
    for (const element of elements) this.#sets.get(name)?.add(textOfElement(element));
  }

  /** The first difference in words, undefined when there is none. Gives way to others between sets. */
  async firstDifference(kernel: Nftables, table: Table): Promise<string | undefined> {
    const chains = new Map(kernel.listChains(table).map((chain) => [chain.name, textOfChain(chain)]));
    const odd = firstOddKey(this.#chains, chains);
    if (odd !== undefined) return `chain "${odd}"`;
    const rules = Map.groupBy(kernel.listRules(table), ({ chain }) => chain);
    for (const [chain, wanted] of this.#rules) {
      const actual = (rules.get(chain) ?? []).map(textOfRule);
      if (actual.length !== wanted.length || actual.some((text, i) => text !== wanted[i]))
        return `rules of chain "${chain}"`;
    }
    const names = new Set(kernel.listSets(table).map(({ name }) => name));
    const missing = [...this.#sets.keys()].find((name) => !names.has(name));
    const extra = [...names].find((name) => !this.#sets.has(name));
    if (missing !== undefined || extra !== undefined) return `set "${missing ?? extra}"`;
    for (const [name, wanted] of this.#sets) {
      await new Promise(setImmediate);
      const actual = kernel.listElements(table, name);
      if (actual.length !== wanted.size || actual.some((element) => !wanted.has(textOfElement(element))))
        return `elements of set "${name}"`;
    }
    return undefined;
  }
}

function firstOddKey(
  wanted: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): string | undefined {
  for (const [key, text] of wanted) if (actual.get(key) !== text) return key;
  for (const key of actual.keys()) if (!wanted.has(key)) return key;
  return undefined;
}

function textOfChain({ name, hook }: Chain): string {
  return hook ? `${name} ${hook.type} ${hook.hook} ${hook.priority} ${hook.policy}` : name;
}

function textOfElement({ key, isEnd, verdict }: Element): string {
  return `${hex(key)}${isEnd ? ' end' : ''}${verdict ? ` ${JSON.stringify(verdict)}` : ''}`;
}

function textOfRule({ expressions }: Rule): string {
  return expressions.map(textOfExpression).join(';');
}

function textOfExpression(expression: Expression): string {
  if (expression.kind === 'counter') return 'counter';
  const fields = Object.entries(expression)
    .filter(([, value]) => value !== undefined && value !== false)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(fields), (key, value) => {
    if (value instanceof Uint8Array) return hex(value);
    if (typeof value === 'number' && registerFields.has(key)) return narrowRegister(value);
    return typeof value === 'bigint' ? String(value) : value;
  });
}

const registerFields = new Set(['to', 'from', 'register']);

/** The kernel tells a register by its wide name wherever it has one: 1 to 4 are the 32-bit registers 8, 12, 16 and 20. */
function narrowRegister(register: number): number {
  return register >= 1 && register <= 4 ? 4 + register * 4 : register;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
