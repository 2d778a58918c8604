// What calico-kube-controllers is told by its environment besides its configuration. Names are Calico's where it has them.
import { hostname } from 'node:os';

export interface KubeControllersOptions {
  /** Undefined inside of a pod, whose service account is used then. */
  readonly kubeconfig: string | undefined;
  /** Where the Lease of the leader lives. */
  readonly namespace: string;
  /** Names this process among those that may lead. */
  readonly identity: string;
  /** Of /readiness and /liveness. */
  readonly health: { readonly host: string; readonly port: number };
}

/** @throws RangeError that names the variable, its value and what would be right */
export function readOptions(
  environment: Readonly<Record<string, string | undefined>>,
): KubeControllersOptions {
  const port = environment.HEALTH_PORT || '9440';
  if (!/^\d+$/.test(port) || Number(port) > 65535) {
    throw new RangeError(`HEALTH_PORT is "${port}"; it must be a number from 0 to 65535`);
  }
  return {
    kubeconfig: environment.KUBECONFIG || undefined,
    namespace: environment.POD_NAMESPACE || 'calico-system',
    identity: `${environment.POD_NAME || hostname()}_${process.pid}`,
    health: { host: environment.HEALTH_HOST ?? '', port: Number(port) },
  };
}
