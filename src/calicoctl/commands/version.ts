// `calicoctl version`: of this program, and of the cluster that it manages.
import { setTimeout as sleep } from 'node:timers/promises';
import type { GlobalOptions } from '../options.ts';
import { version as ownVersion } from '../version.ts';

interface VersionOptions extends GlobalOptions {
  readonly client?: boolean;
  /** Seconds after which the cluster is asked again, until the program is ended; absent for once. */
  readonly poll?: number;
}

export async function version(options: VersionOptions): Promise<number> {
  process.stdout.write(`Client Version:    ${ownVersion}\n`);
  if (options.client) return 0;
  const { readClusterInformation, Session } = await import('../session.ts');
  await using session = new Session(options);
  for (;;) {
    const spec = (await readClusterInformation(session.client))?.spec;
    process.stdout.write(`Cluster Version:   ${spec?.calicoVersion ?? 'unknown'}\n`);
    process.stdout.write(`Cluster Type:      ${spec?.clusterType ?? 'unknown'}\n`);
    if (!options.poll) return 0;
    // Longer than that no timer waits: it would be over at once.
    await sleep(Math.min(options.poll * 1000, 2 ** 31 - 1));
  }
}
