// calico-node: runs on every node of a cluster. See src/node.

import { shimPath } from '../src/cni/index.ts';
import {
  accessFromKubeconfig,
  accessFromPod,
  type ClusterAccess,
  KubernetesDatastore,
} from '../src/datastore/index.ts';
import {
  forgetNode,
  installPlugins,
  type NodeOptions,
  offerNetwork,
  readOptions,
  runCalicoNode,
  unhealthy,
  uninstall,
  withdrawStaleOffer,
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
    const print = (removed: string[]) => {
      for (const what of removed) process.stdout.write(`removed ${what}\n`);
    };
    print(uninstall(options, process.env));
    if (options.kubeconfig || process.env.KUBERNETES_SERVICE_HOST) {
      const datastore = new KubernetesDatastore(accessOf(options));
      print(await forgetNode(datastore, options.node));
      await datastore.close();
    } else
      process.stderr.write('What the cluster knows of this node stays: KUBECONFIG names no API server\n');
    process.exit(0);
  }
  if (process.argv[2] === 'health') {
    const faults = await unhealthy(process.argv.slice(3), options, process.env);
    for (const fault of faults) process.stderr.write(`${fault}\n`);
    process.exit(faults.length === 0 ? 0 : 1);
  }
  const log = createLogger('calico-node', options.logLevel);
  const managesCni = process.env.CALICO_MANAGE_CNI === 'true';
  if (managesCni) withdrawStaleOffer(log);
  const access = accessOf(options);
  const node = await runCalicoNode({
    options,
    openDatastore: () => new KubernetesDatastore(access, { onTrouble: (trouble) => log.warn(trouble) }),
    environment: process.env,
    log,
    onDeath: die,
  });
  const offer = managesCni ? offerNetwork(options, access, log) : undefined;
  onShutdown(async () => {
    offer?.withdraw();
    await node.stop();
  });
} catch (error) {
  die(error);
}

function accessOf({ kubeconfig }: NodeOptions): ClusterAccess {
  return kubeconfig ? accessFromKubeconfig(kubeconfig) : accessFromPod();
}

function die(error: unknown): never {
  process.stderr.write(`calico-node cannot start: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
