// How a pod's requests and limits of CPU and memory rank it when its node runs short.
// Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/

import { parseQuantity } from '../../resources/index.ts';
import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from '../json.ts';

const resources = ['cpu', 'memory'] as const;

function containersOf(spec: JsonObject): Json[] {
  return [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')];
}

/** What has a limit and no request asks for its limit. In place. */
export function fillRequests(spec: JsonObject): void {
  for (const container of containersOf(spec)) {
    const part = objectAt(container, 'resources');
    if (!isObject(part.limits)) continue;
    part.requests = { ...part.limits, ...objectAt(part, 'requests') };
  }
}

/** Of a spec whose requests are filled in. */
export function qosClassOf(spec: JsonObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const amounts = containersOf(spec).flatMap((container) =>
    resources.map((resource) => ({
      request: amountOf(container, 'requests', resource),
      limit: amountOf(container, 'limits', resource),
    })),
  );
  if (amounts.every(({ request, limit }) => request === 0n && limit === 0n)) return 'BestEffort';
  const isGuaranteed = amounts.every(({ request, limit }) => limit > 0n && request === limit);
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** In billionths; 0 when nothing is said, which means the same. */
function amountOf(container: Json, part: 'requests' | 'limits', resource: string): bigint {
  const written = objectAt(container, 'resources', part)[resource];
  return (
    parseQuantity(typeof written === 'number' ? String(written) : stringAt({ written }, 'written')) ?? 0n
  );
}
