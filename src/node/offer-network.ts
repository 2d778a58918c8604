// Tells the container runtime that there is a network: the configuration of our plugin and the kubeconfig beside it. Done when the
// agent answers the plugin, because with that file the kubelet calls the node ready.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasNetwork } from '../dataplane/index.ts';
import { type ClusterAccess, KubernetesClient } from '../datastore/index.ts';
import { Nftables, Rtnetlink } from '../kernel/index.ts';
import type { Logger } from '../process/index.ts';
import { keepCniKubeconfig } from './cni-kubeconfig.ts';
import {
  cniConfigurationFolder,
  kubeconfigName,
  networkConfigurationPath,
  writeNetworkConfiguration,
} from './install-cni.ts';
import type { NodeOptions } from './options.ts';
import { untilDone } from './until-done.ts';

const tokenSeconds = 24 * 60 * 60;

/**
 * Takes away a configuration that is left of before the node was started: with it the kubelet would call the node ready while no
 * pod can have a network. One of a Calico that has just ended stays, and so does one whose pods are at work.
 */
export function withdrawStaleOffer(
  log: Logger,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const path = networkConfigurationPath(environment);
  if (!existsSync(path)) return;
  const kernel = Nftables.open();
  const rtnetlink = Rtnetlink.open();
  try {
    if (hasNetwork(kernel, rtnetlink)) return;
    rmSync(path, { force: true });
    log.info({ path }, 'The node was started anew: it has a network when calico-node is ready');
  } finally {
    kernel.close();
    rtnetlink.close();
  }
}

/** The files stay when the offer is withdrawn: pods come and go while the agent is being replaced. */
export function offerNetwork(
  { node, cniAccount }: NodeOptions,
  access: ClusterAccess,
  log: Logger,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): { withdraw(): void } {
  const ending = new AbortController();
  const client = new KubernetesClient(access);
  keepCniKubeconfig({
    path: join(cniConfigurationFolder(environment), kubeconfigName),
    access,
    requestToken: () => client.requestToken(cniAccount, tokenSeconds),
    log,
    signal: ending.signal,
  });
  const offer = () => {
    const path = writeNetworkConfiguration(environment, node);
    log.info({ path }, 'The container runtime finds the network');
  };
  void untilDone(offer, {
    log,
    signal: ending.signal,
    failure: 'Cannot offer the network to the container runtime',
  });
  return {
    withdraw: () => {
      ending.abort();
      client.close().catch((error) => log.debug({ error }, 'Cannot close the connection for tokens'));
    },
  };
}
