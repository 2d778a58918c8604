// The controllers that a configuration asks for: begun together, and ended together when the configuration changes.
import type { Datastore } from '../datastore/index.ts';
import { type Logger, timerMs, tryDurationMs } from '../process/index.ts';
import type { RunningConfig } from './configuration/running-config.ts';
import type { Controller } from './controller.ts';
import { HostEndpointController } from './host-endpoint/host-endpoint-controller.ts';
import { LoadBalancerController } from './load-balancer/load-balancer-controller.ts';
import type { IpamMetrics } from './node/ipam-metrics.ts';
import { NodeController } from './node/node-controller.ts';
import { PoolController } from './pool/pool-controller.ts';
import { TierController } from './tier/tier-controller.ts';

const defaultPeriodMs = 5 * 60_000;

/** Pools and tiers are always looked after: what they say of themselves is part of their meaning. */
export function startControllers(
  { controllers: { node, loadBalancer } }: RunningConfig,
  datastore: Datastore,
  metrics: IpamMetrics,
  log: Logger,
): Controller[] {
  const context = (reconcilerPeriodMs: number) => ({ datastore, log, reconcilerPeriodMs });
  const started: Controller[] = [
    new PoolController(context(defaultPeriodMs)),
    new TierController(context(defaultPeriodMs)),
  ];
  if (node) {
    const periodMs = timerMs(tryDurationMs(node.reconcilerPeriod) ?? defaultPeriodMs);
    const leakGraceMs = tryDurationMs(node.leakGracePeriod) ?? 3 * defaultPeriodMs;
    started.push(new NodeController(context(periodMs), { leakGraceMs, metrics }));
    started.push(new HostEndpointController(context(periodMs), node.hostEndpoint));
  }
  if (loadBalancer) {
    started.push(new LoadBalancerController(context(defaultPeriodMs), loadBalancer.assignIPs));
  }
  return started;
}
