// Where the container runtimes of a node look for CNI, as their own files say. Read below the node's root, which is not that of
// calico-node's container. Which of several runtimes the kubelet uses is not asked.
import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'smol-toml';

export interface Runtime {
  readonly name: string;
  /** Its configuration, as the node calls it. */
  readonly file: string;
  readonly pluginFolders: readonly string[];
  readonly netFolder: string;
}

type Table = Readonly<Record<string, unknown>>;

/** Those that bring a containerd of their own leave every other on the machine alone. */
const bundled = [
  { name: "k3s' containerd", file: '/var/lib/rancher/k3s/agent/etc/containerd/config.toml' },
  { name: "MicroK8s' containerd", file: '/var/snap/microk8s/current/args/containerd.toml' },
];

/** What runtimes take where they are told nothing. */
const usual = { plugins: '/opt/cni/bin', net: '/etc/cni/net.d' };

/** Of containerd's configuration in version 3, 2 and 1: the plugin by which kubelet speaks to it. */
const criPlugins = ['io.containerd.cri.v1.runtime', 'io.containerd.grpc.v1.cri', 'cri'];

/** @param root Below which the node's files are seen; empty on the node itself. */
export function readRuntimes(root: string): Runtime[] {
  const own = bundled.flatMap(({ name, file }) => containerd(root, name, file));
  if (own.length > 0) return own;
  return [...containerd(root, 'containerd', '/etc/containerd/config.toml'), ...crio(root)];
}

/** Where links of the node's lead that are seen from outside of it: absolute ones begin at its own root. */
export function seenBelow(root: string, path: string): string {
  if (root === '') return path;
  const ahead = path.split('/');
  let reached = '/';
  let links = 0;
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    const next = join(reached, part);
    const target = part === '' || part === '..' ? undefined : linkAt(root + next);
    // As many as the kernel follows: path_resolution(7).
    if (target === undefined || ++links > 40) {
      reached = next;
    } else {
      ahead.unshift(...target.split('/'));
      if (isAbsolute(target)) reached = '/';
    }
  }
  return root + reached;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // No link, or nothing at all.
    return undefined;
  }
}

/** Empty where there is no such configuration, or kubelet cannot use that containerd. */
function containerd(root: string, name: string, file: string): Runtime[] {
  const main = read(root, file);
  if (!main) return [];
  const imported = textsOf(main.imports).flatMap((pattern) =>
    globSync(root + (isAbsolute(pattern) ? pattern : join(dirname(file), pattern)))
      .toSorted()
      .map((path) => read(root, path.slice(root.length))),
  );
  // What is imported wins, and of that the last.
  const tables = [main, ...imported.filter((table) => table !== undefined)];
  if (tables.some(leavesOutKubelet)) return [];
  const cni: Table = Object.assign({}, ...tables.map(cniOf));
  const folders = [...textsOf(cni.bin_dir), ...textsOf(cni.bin_dirs)];
  const [netFolder = usual.net] = textsOf(cni.conf_dir);
  return [{ name, file, pluginFolders: folders.length > 0 ? folders : [usual.plugins], netFolder }];
}

/** As the containerd of Docker's packages comes. */
function leavesOutKubelet({ disabled_plugins: disabled }: Table): boolean {
  return textsOf(disabled).some((name) => criPlugins.includes(name));
}

function cniOf({ plugins }: Table): Table {
  return Object.assign({}, ...criPlugins.map((name) => at(plugins, name, 'cni')).filter(isTable));
}

/** Source: crio.conf(5) and crio.conf.d(5). */
function crio(root: string): Runtime[] {
  const folder = '/etc/crio/crio.conf.d';
  const parts = list(seenBelow(root, folder)).map((name) => join(folder, name));
  const files = ['/etc/crio/crio.conf', ...parts];
  const found = files.flatMap((file) => {
    const table = read(root, file);
    return table ? [{ file, network: at(table, 'crio', 'network') }] : [];
  });
  if (found.length === 0) return [];
  const telling = found.filter(({ network }) => isTable(network));
  const network: Table = Object.assign({}, ...telling.map(({ network }) => network));
  const folders = [...textsOf(network.plugin_dirs), ...textsOf(network.plugin_dir)];
  const [netFolder = usual.net] = textsOf(network.network_dir);
  const { file } = telling.at(-1) ?? { file: files[0] ?? '' };
  const pluginFolders = folders.length > 0 ? folders : [usual.plugins];
  return [{ name: 'CRI-O', file, pluginFolders, netFolder }];
}

/** Undefined where there is none, or none that its runtime could read either. */
function read(root: string, file: string): Table | undefined {
  try {
    return parse(readFileSync(seenBelow(root, file), 'utf8'));
  } catch {
    // Nothing can be said of where it looks.
    return undefined;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    // There is none.
    return [];
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((table, key) => (isTable(table) ? table[key] : undefined), value);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of a text or a list of texts, those that say anything; folders without the slash at their end. */
function textsOf(value: unknown): string[] {
  return [value]
    .flat()
    .filter((text) => typeof text === 'string' && text !== '')
    .map((text) => (text as string).replace(/(?<=.)\/+$/, ''));
}
