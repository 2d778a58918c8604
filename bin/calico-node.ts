// calico-node: runs on every node of a cluster. See src/node.

import { shimPath } from '../src/cni/index.ts';
import { accessFromKubeconfig, accessFromPod, KubernetesDatastore } from '../src/datastore/index.ts';
import {
  installPlugins,
  offerNetwork,
  readOptions,
  runCalicoNode,
  unhealthy,
  uninstall,
  writeNetworkConfiguration,
} from '../src/node/index.ts';
import { createLogger, onShutdown } from '../src/process/index.ts';

try {
  const options = readOptions(process.env);
  if (process.argv[2] === 'install-cni') {
    installPlugins(process.env, shimPath);
    // In a DaemonSet the configuration is for calico-node to write, once there is a network.
    if (process.argv[3] !== '--plugins-only') writeNetworkConfiguration(process.env, options.node);
    process.exit(0);
  }
  if (process.argv[2] === 'uninstall') {
    const removed = uninstall(options, process.env);
    for (const what of removed) process.stdout.write(`removed ${what}\n`);
    process.exit(0);
  }
  if (process.argv[2] === 'health') {
    const faults = await unhealthy(process.argv.slice(3), options, process.env);
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    process.exit(faults.length === 0 ? 0 : 1);
  }
  const log = createLogger('calico-node', options.logLevel);
  const access = options.kubeconfig ? accessFromKubeconfig(options.kubeconfig) : accessFromPod();
  const node = await runCalicoNode({
    options,
    openDatastore: () => new KubernetesDatastore(access, { onTrouble: (trouble) => log.warn(trouble) }),
    environment: process.env,
    log,
    onDeath: die,
  });
  const offer = process.env.CALICO_MANAGE_CNI === 'true' ? offerNetwork(options, access, log) : undefined;
  onShutdown(async () => {
    offer?.withdraw();
    await node.stop();
  });
} catch (error) {
  die(error);
}

function die(error: unknown): never {
  process.stderr.write(`calico-node cannot start: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
