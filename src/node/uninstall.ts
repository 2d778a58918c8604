// Leaves a node as it was before Calico came: first what offers a network to the container runtime, then what is in the kernel,
// then what lies on the disk.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { uninstallDataplane } from '../dataplane/index.ts';
import { Nftables, Rtnetlink } from '../kernel/index.ts';
import { cniConfigurationFolder, kubeconfigName, pluginPaths } from './install-cni.ts';
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
  const offers = [environment.CNI_CONF_NAME || '10-calico.conflist', kubeconfigName].map((name) =>
    join(folder, name),
  );
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
  const own = [dirname(paths.nodename), dirname(paths.cniSocket)].filter((path) => existsSync(path));
  for (const name of own.flatMap((path) => readdirSync(path).map((entry) => join(path, entry)))) {
    if (remove(name)) removed.push(name);
  }
  return removed;
}

function remove(path: string): boolean {
  const isThere = existsSync(path);
  rmSync(path, { recursive: true, force: true });
  return isThere;
}
