// The BIRD that Calico runs on a node, one for each family, with what its confd writes for it: the mesh of nodes, the node's own block,
// routes without an overlay. In the words of BIRD 2, which is there to run; its routes have no metric, as those of BIRD 1.6.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Family } from '../../src/net/index.ts';
import { otherNode, pools, type UpstreamNode } from './upstream-shape.ts';

/** Calico's own number of an autonomous system. */
const asNumber = 64512;

function upstreamBirdText(node: UpstreamNode, family: Family): string {
  const other = otherNode(node).address[family];
  return `
router id ${node.address[4]};
protocol device { scan time 2; }
protocol direct { ipv${family}; interface -"cali*", -"kube-ipvs*", -"nodelocaldns", "*"; }
protocol static { ipv${family}; route ${node.block[family]} blackhole; }
protocol kernel {
  learn;
  persist;
  scan time 2;
  graceful restart;
  metric 0;
  ipv${family} { import all; export filter { if source = RTS_DEVICE then reject; accept; }; };
}
filter calico_export_to_bgp_peers {
  if net = ${node.block[family]} then accept;
  if net ~ [ ${node.block[family]}+ ] then reject;
  if net ~ [ ${pools[family]}+ ] then accept;
  reject;
}
template bgp bgp_template {
  local ${node.address[family]} as ${asNumber};
  multihop;
  graceful restart on;
  connect delay time 2;
  connect retry time 5;
  error wait time 5, 30;
  ipv${family} { import all; export filter calico_export_to_bgp_peers; gateway recursive; add paths on; };
}
protocol bgp Mesh_${other.replace(/[.:]/g, '_')} from bgp_template {
  neighbor ${other} as ${asNumber};
}
`;
}

export interface UpstreamBirdOptions {
  readonly node: UpstreamNode;
  readonly family: Family;
  readonly namespacePath: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class UpstreamBird {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start({ node, family, namespacePath, folder, environment }: UpstreamBirdOptions): UpstreamBird {
    const path = (ending: string) => join(folder, `upstream-bird${family}.${ending}`);
    writeFileSync(path('cfg'), upstreamBirdText(node, family));
    const files = ['-c', path('cfg'), '-s', path('ctl'), '-P', path('pid')];
    const child = spawn('nsenter', [`--net=${namespacePath}`, 'bird', '-R', '-f', ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...environment },
    });
    return new UpstreamBird(child);
  }

  /** As it ends with its pod, whose grace period is zero: nobody asks it to, and it says good-bye to nobody. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
