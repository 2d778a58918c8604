// Two nodes with two pods each, wired by `ip` as calico-node would wire them, so that the prober can be tested on its own.
// Every namespace's name carries the test's process id; `remove` deletes them all.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ProberNode, ProberPod } from '../../src/lab/prober/messages.ts';

const listen = [
  { protocol: 'tcp', port: 8080 },
  { protocol: 'udp', port: 53 },
  { protocol: 'sctp', port: 3868 },
] as const;

export class WiredCluster {
  readonly nodes: ProberNode[] = [];
  readonly pods: ProberPod[] = [];
  readonly #prefix: string;
  readonly #namespaces: string[] = [];

  constructor(name: string) {
    this.#prefix = `calico-lab-test-${process.pid}-${name}`;
    try {
      this.#wire();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Runs nft in the namespace of a node. */
  nft(node: number, script: string): void {
    execFileSync('nsenter', [`--net=/run/netns/${this.#prefix}-n${node}`, 'nft', '-f', '-'], {
      input: script,
    });
  }

  remove(): void {
    for (const name of this.#namespaces) {
      if (existsSync(`/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name]);
    }
  }

  #wire(): void {
    const underlay = this.#namespace('u');
    this.#ip(underlay, 'link add br0 type bridge', 'link set br0 up', 'addr add 172.30.0.1/24 dev br0');
    for (const n of [1, 2]) {
      const node = this.#namespace(`n${n}`);
      const address = `172.30.0.1${n}`;
      this.#ip(
        node,
        `link add eth0 type veth peer name n${n} netns ${underlay}`,
        'link set eth0 up',
        `addr add ${address}/24 dev eth0`,
      );
      this.#ip(underlay, `link set n${n} master br0 up`);
      execFileSync('nsenter', [`--net=/run/netns/${node}`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
      this.nodes.push({ name: `node-${n}`, namespacePath: `/run/netns/${node}`, address });
      for (const p of [1, 2]) {
        const pod = this.#namespace(`n${n}p${p}`);
        const ip = `192.168.${n}.${p}`;
        this.#ip(node, `link add cali${p} type veth peer name eth0 netns ${pod}`, `link set cali${p} up`);
        this.#ip(node, `addr add 169.254.1.1/32 dev cali${p}`, `route add ${ip}/32 dev cali${p}`);
        this.#ip(pod, 'link set eth0 up', `addr add ${ip}/32 dev eth0`);
        this.#ip(pod, 'route add 169.254.1.1 dev eth0', 'route add default via 169.254.1.1 dev eth0');
        this.pods.push({
          key: `ns/pod-${n}${p}`,
          node: `node-${n}`,
          namespacePath: `/run/netns/${pod}`,
          ip,
          listen,
        });
      }
      this.#ip(node, `route add 192.168.${3 - n}.0/24 via 172.30.0.1${3 - n}`);
    }
  }

  #namespace(suffix: string): string {
    const name = `${this.#prefix}-${suffix}`;
    this.#namespaces.push(name);
    execFileSync('ip', ['netns', 'add', name]);
    this.#ip(name, 'link set lo up');
    return name;
  }

  #ip(namespace: string, ...commands: string[]): void {
    execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }
}
