// `calicoctl node checksystem`: whether this machine's kernel can run calico-node.
import { kernelNeeds } from './kernel-needs.ts';

export interface CheckSystemOptions {
  /** File with the configuration of a kernel, which is judged instead of the one that runs. */
  readonly kernelConfig?: string;
}

/** Returns 1 when something is missing. */
export async function checkSystem({ kernelConfig }: CheckSystemOptions): Promise<number> {
  const needs = await kernelNeeds(kernelConfig);
  for (const { what, isMet, remedy } of needs) {
    process.stdout.write(`${what.padEnd(32)}${isMet ? 'OK' : `MISSING: ${remedy}`}\n`);
  }
  const isFit = needs.every(({ isMet }) => isMet);
  process.stdout.write(
    isFit ? 'This system can run calico-node\n' : 'This system cannot run calico-node as it is\n',
  );
  return isFit ? 0 : 1;
}
