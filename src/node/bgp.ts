// BGP on this node: the agent that configures and supervises BIRD, and the answers to CalicoNodeStatus.
import { adoptRoutes, BgpAgent, keepPeeringAddresses, NodeStatusReporter } from '../bgp/index.ts';
import type { Datastore } from '../datastore/index.ts';
import { birdProtocol, type Rtnetlink } from '../kernel/index.ts';
import type { Logger } from '../process/index.ts';
import type { NodeOptions } from './options.ts';

export interface BgpPart {
  /** BIRD ends as for a restart: its routes stay in the kernel, and peers keep ours. */
  stop(): Promise<void>;
}

/** Returns at once: sessions come up meanwhile, and pods on this node need none of them. Nothing where BGP is not wanted. */
export function startBgp(
  { node, backend, namespace, birdProgram, paths }: NodeOptions,
  datastore: Datastore,
  rtnetlink: Rtnetlink,
  log: Logger,
): BgpPart | undefined {
  if (backend !== 'bird') return undefined;
  const agent = new BgpAgent({
    node,
    namespace,
    datastore,
    paths: paths.bird,
    program: birdProgram,
    hasRoutesToRecover: () => rtnetlink.routes().some(({ protocol }) => protocol === birdProtocol),
    adoptRoutes: (metric) => {
      const left = adoptRoutes(rtnetlink, metric);
      if (left.length === 0) return;
      log.warn(
        `Routes of an earlier BIRD with several next hops stay before those of ours, to ${left.join(', ')}: once BGP is up, delete each by "ip route del DESTINATION metric 0 proto bird"`,
      );
    },
    hearPodsAt: (addresses) => keepPeeringAddresses(rtnetlink, addresses),
    log,
  });
  const reporter = new NodeStatusReporter({ node, datastore, socketPath: paths.bird.socket, log });
  agent.start();
  reporter.start();
  return {
    stop: async () => {
      reporter.stop();
      await agent.stop();
    },
  };
}
