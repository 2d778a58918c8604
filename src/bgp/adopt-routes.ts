// Routes in the kernel that the BIRD of another Calico has left: older ones write them without a metric, which comes before every
// metric. BIRD would leave them there for good, beside its own, and what they say would hold when it is true no longer.
import { birdProtocol, deleteRoute, mainTable, type Rtnetlink, replaceRoute } from '../kernel/index.ts';

/**
 * Gives them the metric that BIRD will look for them with, while no BIRD runs; there is no moment without a route. Those of IPv6 have a
 * metric always. Returns the destinations of those with several next hops, which stay as they are: they are not listed whole.
 * @throws KernelError for the first that the kernel refuses
 */
export function adoptRoutes(rtnetlink: Rtnetlink, metric: number): string[] {
  const left: string[] = [];
  for (const route of rtnetlink.routes()) {
    const { protocol, table, destination, type, via, link } = route;
    if (protocol !== birdProtocol || table !== mainTable || route.metric !== 0 || destination.includes(':'))
      continue;
    if (type === 'unicast' && via === undefined && link === undefined) {
      left.push(destination);
      continue;
    }
    rtnetlink.apply(replaceRoute({ ...route, metric }));
    rtnetlink.apply(deleteRoute(route));
  }
  return left;
}
