// ARP from pods: a pod may tell that it has its own addresses, and no others. A table of its own, because the kernel shows ARP to
// tables of no other family; neighbour discovery, the same for IPv6, is policed in the main table.
import type { Changes, DesiredState } from '../../calc/index.ts';
import {
  type Chain,
  type Element,
  type Nftables,
  type NftSet,
  type Rule,
  registers,
  Transaction,
} from '../../kernel/index.ts';
import { addressBytes, tryParseAddress } from '../../net/index.ts';
import { concatenation, interfaceNameBytes } from './bytes.ts';
import { counter, verdict } from './matches.ts';
import { isPod } from './path/index.ts';
import { firstDifference } from './table-difference.ts';
import { TableImage, type TableWriter } from './table-image.ts';
import { TableReading } from './table-reading.ts';

export const arpTable = { family: 'arp', name: 'calico' } as const;
const chain: Chain = {
  name: 'cali-arp-from-wl',
  hook: { type: 'filter', hook: 'input', priority: 0, policy: 'accept' },
};
const addresses: NftSet = { name: 'cali-arp-addresses', key: ['ifname', 'ipv4_addr'] };
const register = registers.wide(0);

/** Of RFC 826, for IPv4 over Ethernet: hardware 2, protocol 2, lengths 1 and 1, operation 2, sender's MAC address 6, its address. */
const senderAt = 14;

const rules: readonly Rule[] = [
  {
    chain: chain.name,
    expressions: [
      ...isPod('iifname'),
      // "Does anybody have it?" of RFC 5227 claims nothing.
      { kind: 'payload', base: 'network', offset: senderAt, length: 4, to: register },
      { kind: 'cmp', comparison: '!=', register, value: new Uint8Array(4) },
      { kind: 'meta', key: 'iifname', to: registers.narrow(0) },
      { kind: 'payload', base: 'network', offset: senderAt, length: 4, to: registers.narrow(4) },
      { kind: 'lookup', set: addresses.name, register: registers.narrow(0), invert: true },
      counter,
      verdict('drop'),
    ],
    comment: "claims an address that is not the pod's",
  },
];

export class ArpTable {
  readonly #kernel: Nftables;
  readonly #owned: boolean;
  /** By endpoint; undefined while what the kernel holds is in doubt: the next change makes the table anew. */
  #placed: Map<string, readonly Element[]> | undefined;

  constructor(kernel: Nftables, owned: boolean) {
    this.#kernel = kernel;
    this.#owned = owned;
  }

  /** @throws TransactionError; the table then is what it was, and the next call makes it anew */
  apply(state: DesiredState, changes: Pick<Changes, 'endpoints'>): void {
    if (this.#placed && changes.endpoints.size === 0) return;
    const transaction = new Transaction(arpTable);
    const placed = this.#placed ?? new Map<string, readonly Element[]>();
    const keys = this.#placed ? changes.endpoints : state.endpoints.keys();
    if (!this.#placed) {
      // Adding first makes the deletion succeed where there was no table.
      transaction.addTable();
      transaction.deleteTable();
      transaction.addTable({ owned: this.#owned });
      writeFrame(transaction);
    }
    this.#placed = undefined;
    for (const key of keys) {
      const before = placed.get(key) ?? [];
      const after = elementsOf(state, key);
      transaction.deleteElements(addresses, before);
      transaction.addElements(addresses, after);
      if (after.length > 0) placed.set(key, after);
      else placed.delete(key);
    }
    this.#kernel.commit(transaction);
    this.#placed = placed;
  }

  distrust(): void {
    this.#placed = undefined;
  }

  /** What, in words, the kernel holds otherwise than it was last told; undefined when nothing. */
  audit(): string | undefined {
    if (!this.#placed) return undefined;
    if (!this.#kernel.lookUpTable(arpTable)) return 'the ARP table is gone';
    const image = new TableImage();
    writeFrame(image);
    for (const elements of this.#placed.values()) image.addElements(addresses, elements);
    const difference = firstDifference(image, TableReading.of(this.#kernel, arpTable));
    return difference && `ARP: ${difference}`;
  }
}

function writeFrame(writer: TableWriter): void {
  writer.addSet(addresses);
  writer.addChain(chain);
  for (const rule of rules) writer.addRule(rule);
}

function elementsOf(state: DesiredState, key: string): Element[] {
  const endpoint = state.endpoints.get(key);
  if (!endpoint) return [];
  const name = interfaceNameBytes(endpoint.interfaceName);
  // What is no address closes its endpoint in the main table.
  return endpoint.addresses
    .map(tryParseAddress)
    .flatMap((address) =>
      address?.family === 4 ? [{ key: concatenation(name, addressBytes(address)) }] : [],
    );
}
