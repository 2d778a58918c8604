// Leaves a node as it was before Calico came: first what offers a network to the container runtime, then what is in the kernel,
// then what lies on the disk.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { uninstallDataplane } from '../dataplane/index.ts';
import { Nftables, Rtnetlink } from '../kernel/index.ts';
import {
  cniConfigurationFolder,
  kubeconfigName,
  networkConfigurationPath,
  pluginPaths,
} from './install-cni.ts';
import type { NodeOptions } from './options.ts';

/**
 * Returns in words what was removed; nothing is left for a second time.
 * @throws Error while calico-node runs on this node, and when the kernel or the disk refuses
 */
export function uninstall(
  { paths }: NodeOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const folder = cniConfigurationFolder(environment);
  const offers = [networkConfigurationPath(environment), join(folder, kubeconfigName)];
  const records = hostLocalRecords(offers[0] ?? '');
  const removed = offers.filter(remove);
  const kernel = Nftables.open();
  const rtnetlink = Rtnetlink.open();
  try {
    removed.push(...uninstallDataplane(kernel, rtnetlink));
  } finally {
    kernel.close();
    rtnetlink.close();
  }
  removed.push(...pluginPaths(environment).filter(remove));
  // The folders themselves are mounted here; what is in them is ours.
  const own = [dirname(paths.nodename), dirname(paths.cniSocket), dirname(paths.bird.log)].filter((path) =>
    existsSync(path),
  );
  for (const name of own.flatMap((path) => readdirSync(path).map((entry) => join(path, entry)))) {
    if (remove(name)) removed.push(name);
  }
  if (records !== undefined && remove(records)) removed.push(records);
  return removed;
}

/** Where host-local keeps who has which address of the network; undefined when the configuration names none. */
function hostLocalRecords(configuration: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(configuration, 'utf8')) as { name?: string };
    return name ? join('/var/lib/cni/networks', basename(name)) : undefined;
  } catch {
    // There is none, or nobody could work by it either.
    return undefined;
  }
}

function remove(path: string): boolean {
  const isThere = existsSync(path);
  rmSync(path, { recursive: true, force: true });
  return isThere;
}
