// What lies on a node for its container runtime: configurations and plugins of CNI, where they were installed and where the runtime
// looks for them. Seen from the node itself, or from calico-node's container.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Runtime, readRuntimes, seenBelow } from './runtimes.ts';

export interface CniFacts {
  /** As the node calls it, like all folders here. */
  readonly folder: string;
  /** Configurations in the order in which a runtime looks at them: the first is the network. */
  readonly configurations: readonly CniConfiguration[];
  readonly pluginFolder: string;
  readonly plugins: readonly string[];
  /** Those plugins that are links to what is not to be seen from here. */
  readonly brokenLinks: readonly string[];
  /** Container runtimes whose configuration can be read, with what they find. */
  readonly runtimes: readonly RuntimeFacts[];
}

export interface RuntimeFacts extends Runtime {
  /** In its folders of plugins. */
  readonly plugins: readonly string[];
  /** Whether any configuration in its folder names Calico. */
  readonly namesCalico: boolean;
}

export interface CniConfiguration {
  readonly file: string;
  /** Types of the plugins that it calls. */
  readonly plugins: readonly string[];
  /** Type of the plugin that Calico's calls for addresses. */
  readonly ipam?: string;
  /** Why no runtime can read it as one. */
  readonly fault?: string;
}

/** A folder by the path that leads to it from here, and by the node's. */
interface Folder {
  readonly path: string;
  readonly name: string;
}

export interface CniPlaces {
  /** Below which the node's own files are seen, empty on the node itself; undefined to ask no runtime where it looks. */
  readonly root: string | undefined;
  /** Where they were installed; undefined to look where runtimes and people have them. */
  readonly net: Folder | undefined;
  readonly plugins: Folder | undefined;
}

const usual = { net: '/etc/cni/net.d', plugins: '/opt/cni/bin' };

/** In calico-node's container the two folders lie below /host, its environment has the node's names of them, and process 1 is the node's. */
export function usualCniPlaces(
  environment: Readonly<Record<string, string | undefined>>,
  isThere: (path: string) => boolean = existsSync,
): CniPlaces {
  const mounted = (path: string, name: string | undefined) =>
    isThere(`/host${path}`) ? { path: `/host${path}`, name: name || path } : undefined;
  const net = mounted(usual.net, environment.CNI_HOST_NET_DIR);
  const plugins = mounted(usual.plugins, environment.CNI_HOST_BIN_DIR);
  return { root: net || plugins ? '/proc/1/root' : '', net, plugins };
}

export function readCniFacts({ root, net, plugins }: CniPlaces): CniFacts {
  const runtimes = root === undefined ? [] : readRuntimes(root);
  const folder = net ?? likeliest([...runtimes.map(({ netFolder }) => netFolder), usual.net], namesCalico);
  const pluginFolder =
    plugins ??
    likeliest([...runtimes.flatMap(({ pluginFolders }) => pluginFolders), usual.plugins], (path) =>
      list(path).includes('calico'),
    );
  const names = list(pluginFolder.path);
  return {
    folder: folder.name,
    configurations: configurationsIn(folder.path),
    pluginFolder: pluginFolder.name,
    plugins: names,
    brokenLinks: names.filter((name) => !existsSync(join(pluginFolder.path, name))),
    runtimes: runtimes.map((runtime) => ({
      ...runtime,
      plugins: runtime.pluginFolders.flatMap((path) => list(seenBelow(root ?? '', path))),
      namesCalico: namesCalico(seenBelow(root ?? '', runtime.netFolder)),
    })),
  };
}

/** The first in which Calico is; without any, the first that there is. */
function likeliest(paths: readonly string[], hasCalico: (path: string) => boolean): Folder {
  const path = paths.find(hasCalico) ?? paths.find((one) => existsSync(one)) ?? paths[0] ?? '';
  return { path, name: path };
}

function namesCalico(folder: string): boolean {
  return configurationsIn(folder).some(({ plugins }) => plugins.includes('calico'));
}

function configurationsIn(folder: string): CniConfiguration[] {
  return list(folder)
    .filter((file) => /\.(conf|conflist|json)$/.test(file))
    .map((file) => ({ file, ...readConfiguration(join(folder, file)) }));
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

interface Plugin {
  readonly type?: string;
  readonly ipam?: { readonly type?: string };
}

/** As libcni reads it: a list of plugins where its name says so, one plugin where it does not. */
function readConfiguration(path: string): Omit<CniConfiguration, 'file'> {
  try {
    const single = JSON.parse(readFileSync(path, 'utf8')) as Plugin & {
      readonly plugins?: readonly Plugin[];
    };
    const isList = path.endsWith('.conflist');
    const plugins = isList ? (single.plugins ?? []) : [single];
    const types = plugins.map(({ type }) => type).filter((name) => name !== undefined);
    const ipam = plugins.find(({ type }) => type === 'calico')?.ipam?.type;
    if (types.length > 0) return { plugins: types, ...(ipam !== undefined && { ipam }) };
    return { plugins: [], fault: isList ? 'it has no "plugins"' : 'it has no "type"' };
  } catch (error) {
    return { plugins: [], fault: error instanceof Error ? error.message : String(error) };
  }
}
