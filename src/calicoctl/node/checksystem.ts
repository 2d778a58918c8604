// `calicoctl node checksystem`: whether this machine's kernel can run calico-node.
import { kernelNeeds } from './kernel-needs.ts';

export interface CheckSystemOptions {
  /** File with the kernel's configuration, where it is not found by itself. */
  readonly kernelConfig?: string;
}

/** Returns 1 when something is missing that every node needs. */
export function checkSystem({ kernelConfig }: CheckSystemOptions): number {
  const needs = kernelNeeds(kernelConfig);
  for (const { what, isMet, remedy, onlyFor } of needs) {
    const missing = onlyFor === undefined ? `MISSING: ${remedy}` : `not found; only ${onlyFor} needs it`;
    process.stdout.write(`${what.padEnd(32)}${isMet ? 'OK' : missing}\n`);
  }
  const isFit = needs.every(({ isMet, onlyFor }) => isMet || onlyFor !== undefined);
  process.stdout.write(
    isFit ? 'This system can run calico-node\n' : 'This system cannot run calico-node as it is\n',
  );
  return isFit ? 0 : 1;
}
