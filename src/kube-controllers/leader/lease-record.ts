// What a Lease says and may be made to say, as client-go's leader election reads and writes it. Pure.
import { apiVersionOf, type Lease, leases } from '../../resources/index.ts';

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** The lease as a candidate that wants it would write it over what is stored. */
export function claimed(
  stored: Lease | undefined,
  { namespace, name }: LeaseName,
  identity: string,
  durationSeconds: number,
  now: Date,
): Lease {
  const time = microTime(now);
  const isOurs = stored?.spec?.holderIdentity === identity;
  return {
    ...(stored ?? { apiVersion: apiVersionOf(leases), kind: leases.kind, metadata: { namespace, name } }),
    spec: {
      ...stored?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      renewTime: time,
      acquireTime: (isOurs ? stored?.spec?.acquireTime : undefined) ?? time,
      leaseTransitions: (stored?.spec?.leaseTransitions ?? 0) + (stored && !isOurs ? 1 : 0),
    },
  };
}

/** The lease given back, so that the next need not wait for its end. */
export function released(stored: Lease, now: Date): Lease {
  return {
    ...stored,
    spec: { ...stored.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}

/** "2026-03-01T00:00:00.123000Z" */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
