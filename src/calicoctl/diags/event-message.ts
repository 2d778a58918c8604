// What an event of somebody's pod may say to strangers: kubelets quote the commands and URLs of probes, hooks and containers. Pure.

export const leftOut = '(left out)';

/** Why a probe failed, in words that are the kubelet's own. */
const causes =
  /dial tcp [\d.:a-f[\]]+(?=: )|connection refused|i\/o timeout|no route to host|network is unreachable|connection reset by peer|context deadline exceeded|statuscode: \d+|timed out/g;

/** `reason` is the event's. */
export function withoutQuotes(reason: string, message: string): string {
  if (/^(Unhealthy|ProbeWarning|ProbeError)$/.test(reason)) {
    const [, probe = ''] = /^(\w+ probe [\w ]+): /.exec(message) ?? [];
    return [probe, leftOut, ...(message.match(causes) ?? [])].filter((part) => part !== '').join(': ');
  }
  if (/^Failed(PostStart|PreStop)Hook$/.test(reason)) return leftOut;
  // The runtime names the program last, and repeats it.
  return message
    .replace(/\bexec: .*/s, `exec: ${leftOut}`)
    .replace(/https?:\/\/[^\s"']+/g, withoutCredentials);
}

/** A URL without whose it is, and without its query. */
function withoutCredentials(url: string): string {
  const [, scheme = '', user, rest = '', query] = /^(https?:\/\/)([^/?]*@)?([^?]*)(\?.*)?$/.exec(url) ?? [];
  return `${scheme}${user ? `${leftOut}@` : ''}${rest}${query ? `?${leftOut}` : ''}`;
}
