// Health as Kubernetes' probes ask for it: /liveness says whether the process should be restarted, /readiness whether it
// does its work. Both answer 200 or 503, with a sentence for each part that is not well.
import type { Pages } from './served-port.ts';

/** Where Felix serves a page of its health, as far as the environment says it. */
export function felixHealthUrl(
  { FELIX_HEALTHHOST: host, FELIX_HEALTHPORT: port }: Readonly<Record<string, string | undefined>>,
  page: 'liveness' | 'readiness',
): string {
  const name = host?.includes(':') ? `[${host}]` : host || '127.0.0.1';
  return `http://${name}:${port || 9099}/${page}`;
}

/** Returns what is wrong, a sentence each; nothing when all is well. */
export type HealthCheck = () => readonly string[];

export function healthPages(checks: {
  readonly liveness: HealthCheck;
  readonly readiness: HealthCheck;
}): Pages {
  return (path) => {
    const check = { '/liveness': checks.liveness, '/readiness': checks.readiness }[path];
    const faults = check?.();
    if (!faults) return undefined;
    const text = faults.length === 0 ? 'ok' : faults.join('\n');
    return { status: faults.length === 0 ? 200 : 503, type: 'text/plain; charset=utf-8', text: `${text}\n` };
  };
}
