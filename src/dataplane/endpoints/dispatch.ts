// Whether the kernel judges what a pod's link brings and takes: asked of the kernel itself, not of what we believe it holds.
import type { Nftables } from '../../kernel/index.ts';
import { sets, table } from '../nftables/names.ts';

/** True when packets from and to the link are dispatched to its own policy; others of our name are dropped. */
export function isDispatched(kernel: Nftables, interfaceName: string): boolean {
  return Object.values(sets.dispatch).every((set) =>
    kernel
      .listElements(table, set)
      .some(({ key }) => Buffer.from(key).toString('latin1').replace(/\0.*$/s, '') === interfaceName),
  );
}
