// Whether the server lives and is ready, as a whole and by the checks that the real server has and that mean something here.
import type { Reply } from './reply.ts';

const ok: Reply = { code: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' };
const checks = ['ping', 'log', 'etcd'];
/** Of these only who asks whether it is ready. */
const readinessChecks = ['etcd-readiness', 'informer-sync', 'shutdown'];

/** Answers "/readyz", "/readyz/ping"; undefined for a path that asks for something else. Who is answered sees that all is well. */
export function healthOf(pathname: string): Reply | undefined {
  const [, root, check, ...surplus] = pathname.split('/');
  if (root !== 'healthz' && root !== 'livez' && root !== 'readyz') return undefined;
  const known = [...checks, ...(root === 'readyz' ? readinessChecks : [])];
  const isKnown = check === undefined || (known.includes(check) && surplus.length === 0);
  return isKnown ? ok : undefined;
}
