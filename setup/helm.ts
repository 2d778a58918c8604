// Helm, which renders the chart: built once with Go into the cache, because no distribution has it.
import { execFileSync } from 'node:child_process';
import { arch } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.ts';

const version = 'v3.22.0';

/** Path of the executable. @throws Error that says what to install */
export function helmPath(): string {
  const folder = cached(`helm/${version}-${arch()}`, (unfinished) => {
    process.stderr.write(`calico-ts: building helm ${version}, once (a few minutes)\n`);
    try {
      execFileSync('go', ['install', `helm.sh/helm/v3/cmd/helm@${version}`], {
        env: { ...process.env, GOBIN: unfinished, GOFLAGS: '-trimpath', CGO_ENABLED: '0' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    } catch (cause) {
      throw new Error(
        `Cannot build helm ${version}: install Go 1.26 or newer and let it reach its module proxy`,
        { cause },
      );
    }
  });
  return join(folder, 'helm');
}
