// What a kubelet writes into a pod's status once its sandbox stands, so that kubectl shows the pod as running.
import type { Pod } from '../../resources/index.ts';

export function runningStatus(
  pod: Pod,
  podIPs: readonly string[],
  hostIP: string,
): NonNullable<Pod['status']> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const status: NonNullable<Pod['status']> = {
    phase: 'Running',
    podIPs: podIPs.map((ip) => ({ ip })),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    startTime: now,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    })),
    containerStatuses: (pod.spec?.containers ?? []).map((container) => ({
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    })),
  };
  if (podIPs[0] !== undefined) status.podIP = podIPs[0];
  return status;
}
