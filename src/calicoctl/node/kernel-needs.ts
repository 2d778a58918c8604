// What calico-node needs of a kernel, and whether this machine's kernel has it, or one whose configuration is at hand.
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { CommandError } from '../problem.ts';

export interface KernelNeed {
  readonly what: string;
  readonly isMet: boolean;
  /** What to do where it is not. */
  readonly remedy: string;
}

const leastVersion = [5, 15] as const;

/**
 * Asks the kernel that runs, or reads the configuration of one.
 * @throws CommandError when the named file is not there; KernelError when the kernel may not be asked, which takes root
 */
export async function kernelNeeds(kernelConfig?: string): Promise<KernelNeed[]> {
  const { kernelFeatures, lackingFeatures } = await import('../../dataplane/index.ts');
  const lacking = kernelConfig === undefined ? new Set(lackingFeatures()) : undefined;
  const configuration = kernelConfig === undefined ? '' : readConfiguration(kernelConfig);
  const features = kernelFeatures.map((feature) => ({
    what: feature.name,
    isMet: lacking ? !lacking.has(feature) : new RegExp(`^${feature.option}=[ym]$`, 'm').test(configuration),
    remedy: `use a kernel with ${feature.option}, or install the package that has its modules`,
  }));
  return kernelConfig === undefined ? [versionNeed(), ...features] : features;
}

function versionNeed(): KernelNeed {
  const [major = 0, minor = 0] = release().split('.').map(Number.parseFloat);
  const isNew = major > leastVersion[0] || (major === leastVersion[0] && minor >= leastVersion[1]);
  return {
    what: `kernel ${release()}`,
    isMet: isNew,
    remedy: `${leastVersion.join('.')} or newer is needed`,
  };
}

function readConfiguration(file: string): string {
  if (!existsSync(file)) throw new CommandError(`Cannot read "${file}": there is no such file`);
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}
