// Where a node's BIRD and its agent keep their files.
import { join } from 'node:path';
import type { BirdPaths } from './bird/supervisor.ts';

export interface BgpPaths extends BirdPaths {
  /** What is wrong, for whoever asks on the node. */
  readonly report: string;
}

/** `root` is what several nodes on one file system keep apart by; the host's own folders when absent. */
export function bgpPaths(root: string | undefined): BgpPaths {
  const [run, log] = root ? [join(root, 'run'), join(root, 'log')] : ['/var/run/calico', '/var/log/calico'];
  return {
    configuration: join(run, 'bird.conf'),
    socket: join(run, 'bird.ctl'),
    pid: join(run, 'bird.pid'),
    report: join(run, 'bgp.json'),
    log: join(log, 'bird.log'),
  };
}
