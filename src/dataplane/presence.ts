// Whether Calico has made a network on this node since it was started: what is in the kernel does not outlive that.
import type { Nftables, Rtnetlink, Table } from '../kernel/index.ts';
import { arpTable } from './nftables/arp-table.ts';
import { interfacePrefix, table as mainTable } from './nftables/names.ts';
import { stampTable } from './nftables/stamp-table.ts';

/** Those that are in the kernel. */
export function ownTables(kernel: Nftables): Table[] {
  return [mainTable, stampTable, arpTable].filter((table) => kernel.lookUpTable(table));
}

/** The nodes' ends of pods' interfaces, those of Calico's own plugins, too. */
export function podEnds(rtnetlink: Rtnetlink): ReturnType<Rtnetlink['links']> {
  return rtnetlink.links().filter(({ name, kind }) => kind === 'veth' && name.startsWith(interfacePrefix));
}

export function hasNetwork(kernel: Nftables, rtnetlink: Rtnetlink): boolean {
  return ownTables(kernel).length > 0 || podEnds(rtnetlink).length > 0;
}
