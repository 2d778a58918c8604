// A node of the cluster: a network namespace on the underlay, with processes and mounts of its own, in which containerd, kubelet and
// kube-proxy run as on any machine, with /etc, /var, /opt and /run where they are used to have them.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedPackages } from '../../setup/debian-packages.ts';
import type { ApiServer } from './api-server.ts';
import { Daemon, eventually } from './daemon.ts';
import { bodyOf, httpRequest } from './http.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubernetesPrograms } from './kubernetes-programs.ts';
import {
  type ContainerdSetup,
  containerdConfiguration,
  debianContainerdConfiguration,
  kubeletConfiguration,
  type ProxyMode,
  pluginFolders,
  proxyConfiguration,
} from './node-configuration.ts';
import { runCommand } from './run-command.ts';
import { cgroupFolders, type RunFolder, removeCgroups } from './run-folder.ts';
import { busyboxPath } from './test-images.ts';

export interface NodeOptions {
  readonly name: string;
  readonly address: string;
  /** Where nodes have both families. */
  readonly address6: string | undefined;
  readonly run: RunFolder;
  readonly api: ApiServer;
  readonly proxyMode: ProxyMode;
  readonly containerd: ContainerdSetup;
  /** Of all pods, one of each family; none when they are not known before Calico is there. */
  readonly podRanges: readonly string[];
  /** OCI archives that containerd shall know. */
  readonly images: readonly string[];
  /** Starts a process in the node's network namespace. */
  readonly spawnThere: <T>(start: () => T) => T;
}

export type NodeProgram = 'containerd' | 'kubelet' | 'kube-proxy';

const nodePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  readonly #options: NodeOptions;
  readonly #packages = unpackedPackages(['containerd', 'runc']);
  readonly #programs = new Map<NodeProgram, Daemon>();
  #containerd: ContainerdSetup;
  #init: Daemon | undefined;
  #boots = 0;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.address = options.address;
    this.#options = options;
    this.#containerd = options.containerd;
    this.folder = join(options.run.path, options.name);
    mkdirSync(join(this.folder, 'log'), { recursive: true });
    this.#writeConfigurations();
  }

  /** Resolves when containerd has the images and kubelet was started; the node joins the cluster in its own time. */
  async boot(): Promise<void> {
    const { run, images } = this.#options;
    const ready = join(this.folder, `ready-${++this.#boots}`);
    for (const folder of cgroupFolders(run.id)) mkdirSync(join(folder, this.name), { recursive: true });
    const init = this.#daemon('init', [
      'unshare',
      ...['--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', '--propagation', 'private'],
      join(import.meta.dirname, 'node-root.sh'),
      ...[this.name, this.folder, ready],
    ]);
    this.#init = init;
    await eventually(
      `${this.name} has its mounts`,
      () => {
        init.assertRunning();
        return existsSync(ready);
      },
      { everyMs: 20 },
    );
    await this.#configureContainerd();
    await this.startContainerd();
    for (const image of images) await this.importImage(image);
    this.start('kubelet');
    this.start('kube-proxy');
  }

  /** Everything that ran on the node is gone at once, and so are its mounts and cgroups; its disk stays. */
  async powerOff(): Promise<void> {
    await this.#init?.killed();
    for (const program of this.#programs.values()) await program.ended;
    this.#programs.clear();
    // A kubelet that finds cgroups of pods before any pod runs waits for them.
    await eventually(`the cgroups of ${this.name} are empty`, () => {
      removeCgroups(`${this.#options.run.id}/${this.name}`);
      return true;
    });
  }

  async startContainerd(): Promise<void> {
    this.start('containerd');
    await eventually(`containerd on ${this.name} answers`, () => {
      this.program('containerd').assertRunning();
      return this.run([...this.#ctr, 'version']).then(() => true);
    });
  }

  /** Starts it again as it is set up now, for good; what it runs goes on. */
  async setUpContainerd(setup: ContainerdSetup): Promise<void> {
    this.#containerd = setup;
    await this.program('containerd').stop();
    await this.#configureContainerd();
    await this.startContainerd();
  }

  start(name: NodeProgram): void {
    const configured = (file: string) => join(this.folder, 'configuration', file);
    const commands: Record<NodeProgram, [string, ...string[]]> = {
      containerd: [join(this.#packages, 'usr/bin/containerd')],
      kubelet: [
        kubernetesPrograms(),
        'kubelet',
        `--config=${configured('kubelet.json')}`,
        `--kubeconfig=${configured('kubelet.kubeconfig')}`,
        `--hostname-override=${this.name}`,
        `--node-ip=${[this.address, this.#options.address6].filter(Boolean).join()}`,
      ],
      'kube-proxy': [kubernetesPrograms(), 'kube-proxy', `--config=${configured('kube-proxy.json')}`],
    };
    this.#programs.set(name, this.#daemon(name, this.#inside(commands[name])));
  }

  /** @throws RangeError when it was never started */
  program(name: NodeProgram): Daemon {
    const daemon = this.#programs.get(name);
    if (!daemon) throw new RangeError(`${name} was never started on ${this.name}`);
    return daemon;
  }

  /** Runs a command on the node as root; resolves with what it printed. @throws Error with what it wrote to stderr */
  run(command: readonly [string, ...string[]], input?: string): Promise<string> {
    return runCommand(this.#inside(command), {
      environment: this.#environment,
      ...(input !== undefined && { input }),
    });
  }

  /**
   * Kills, so that it has no time to prepare, every process of the node that was started as this program of our image, and has `variable`
   * ("NAME=value") in its environment if that is given. Resolves with how many these were: none while it is just being started again.
   */
  async killProgram(program: string, variable?: string): Promise<number> {
    const proc = this.seenFromOutside('/proc');
    let killed = 0;
    for (const pid of readdirSync(proc).filter((entry) => /^\d+$/.test(entry))) {
      const wordsOf = (file: string) => readFileSync(`${proc}/${pid}/${file}`, 'utf8').split('\0');
      try {
        const [interpreter, path] = wordsOf('cmdline');
        if (interpreter !== '/usr/bin/node' || path !== `/usr/bin/${program}`) continue;
        if (variable !== undefined && !wordsOf('environ').includes(variable)) continue;
      } catch {
        // It ended while /proc was read.
        continue;
      }
      await this.run([busyboxPath(), 'kill', '-KILL', pid]).then(
        () => killed++,
        () => {},
      );
    }
    return killed;
  }

  /** The path by which this process finds a file of the node's. @throws Error while the node is off */
  seenFromOutside(path: string): string {
    const pid = this.#init?.innerPid;
    if (pid === undefined) throw new Error(`${this.name} is off`);
    return path.startsWith('/proc/1/')
      ? `/proc/${pid}/${path.slice('/proc/1/'.length)}`
      : `/proc/${pid}/root${path}`;
  }

  /** Network namespaces of the pods that have one of their own, by the pods' IPv4 addresses. */
  async podNamespaces(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const name of readdirSync(this.seenFromOutside('/run/netns'))) {
      const path = `/run/netns/${name}`;
      const text = await this.run([
        'nsenter',
        `--net=${path}`,
        'ip',
        '-json',
        '-4',
        'address',
        'show',
        'dev',
        'eth0',
      ]);
      const [link] = JSON.parse(text) as { addr_info: { local: string }[] }[];
      for (const { local } of link?.addr_info ?? []) found.set(local, this.seenFromOutside(path));
    }
    return found;
  }

  /** Gets a URL over HTTP inside the network of the pod with that address. @throws Error when there is no answer in three seconds */
  async fetchInPod(ip: string, url: string): Promise<string> {
    const path = (await this.podNamespaces()).get(ip);
    if (path === undefined) throw new Error(`${this.name} has no pod with address ${ip}`);
    const inside = path.slice(this.seenFromOutside('').length);
    const answer = await this.run([
      'nsenter',
      `--net=${inside}`,
      ...['sh', '-c'],
      httpRequest(`${busyboxPath()} nc`, url),
    ]);
    return bodyOf(answer);
  }

  /** Lets containerd know an image by its OCI archive. */
  async importImage(archive: string): Promise<void> {
    await this.run([...this.#ctr, 'images', 'import', archive]);
  }

  get #ctr(): [string, ...string[]] {
    return [join(this.#packages, 'usr/bin/ctr'), '--namespace=k8s.io'];
  }

  get #environment(): NodeJS.ProcessEnv {
    return {
      ...this.#options.run.mark,
      PATH: `${join(this.#packages, 'usr/bin')}:${join(this.#packages, 'usr/sbin')}:${nodePath}`,
    };
  }

  /** The command as process 1 of the node would start it. */
  #inside(command: readonly [string, ...string[]]): [string, ...string[]] {
    const target = this.#init?.innerPid;
    if (target === undefined) throw new Error(`${this.name} is off`);
    return ['nsenter', `--target=${target}`, '--mount', '--pid', '--net', '--uts', '--ipc', '--', ...command];
  }

  /** With the plugins of others where it looks for them. */
  async #configureContainerd(): Promise<void> {
    const text =
      this.#containerd === 'debian'
        ? debianContainerdConfiguration(
            readFileSync(join(this.#packages, 'etc/containerd/config.toml'), 'utf8'),
          )
        : containerdConfiguration(join(this.#packages, 'usr/sbin/runc'));
    await this.run(['sh', '-c', 'mkdir -p /etc/containerd && cat >/etc/containerd/config.toml'], text);
    await this.run(['cp', '--recursive', ...referencePlugins(), pluginFolders[this.#containerd]]);
  }

  #daemon(name: string, command: readonly [string, ...string[]]): Daemon {
    return new Daemon({
      name: `${name} on ${this.name}`,
      command,
      logPath: join(this.folder, 'log', `${name}.log`),
      environment: this.#environment,
      spawnThere: this.#options.spawnThere,
      isWrapped: true,
    });
  }

  #writeConfigurations(): void {
    const { api, run, proxyMode, podRanges } = this.#options;
    const folder = join(this.folder, 'configuration');
    mkdirSync(folder, { recursive: true });
    const { authority } = api;
    const own = authority.issue(
      `kubelet-${this.name}`,
      `system:node:${this.name}`,
      ['system:nodes'],
      [`IP:${this.address}`, `DNS:${this.name}`],
    );
    const proxy = authority.issue(`kube-proxy-${this.name}`, 'system:kube-proxy');
    const proxyKubeconfig = join(folder, 'kube-proxy.kubeconfig');
    writeKubeconfig(join(folder, 'kubelet.kubeconfig'), api.url, authority.certificate, own);
    writeKubeconfig(proxyKubeconfig, api.url, authority.certificate, proxy);
    const kubelet = kubeletConfiguration({
      cgroup: `/${run.id}/${this.name}`,
      authority: authority.certificate,
      ...own,
    });
    const files = {
      'kubelet.json': JSON.stringify(kubelet),
      'kube-proxy.json': JSON.stringify(proxyConfiguration(proxyMode, proxyKubeconfig, this.name, podRanges)),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    chmodSync(folder, 0o700);
  }
}

/** Those of the CNI project, which every node has before it gets a network: loopback for the runtime, portmap to be chained. */
function referencePlugins(): string[] {
  const folder = join(unpackedPackages(['containernetworking-plugins']), 'usr/lib/cni');
  return readdirSync(folder).map((name) => join(folder, name));
}
