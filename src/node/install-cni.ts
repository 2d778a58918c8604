// Puts the CNI plugin and its network configuration where the container runtime finds them. Each file appears whole or not at
// all: a runtime may read them at any moment. The configuration comes last, because with it the runtime takes the network for ready.
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeTextWhole, writeWhole } from '../process/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const plugins = ['calico', 'calico-ipam'] as const;

/** Where the network configuration and the kubeconfig go, as this process sees the folder. */
export function cniConfigurationFolder(environment: Environment): string {
  return environment.CNI_NET_DIR || '/host/etc/cni/net.d';
}

/** Of the network configuration, as this process sees it. */
export function networkConfigurationPath(environment: Environment): string {
  return join(cniConfigurationFolder(environment), environment.CNI_CONF_NAME || '10-calico.conflist');
}

/** Where the plugins go, as this process sees the folder. */
export function pluginPaths(environment: Environment): string[] {
  const folder = environment.CNI_BIN_DIR || '/host/opt/cni/bin';
  return plugins.map((name) => join(folder, name));
}

/**
 * Returns the paths of what was written. Variables are upstream's: SKIP_CNI_BINARIES, UPDATE_CNI_BINARIES; CNI_BIN_DIR says where
 * plugins go. `shim` is the compiled plugin.
 */
export function installPlugins(environment: Environment, shim: () => string): string[] {
  const skipped = (environment.SKIP_CNI_BINARIES || '').split(',');
  const mayReplace = (environment.UPDATE_CNI_BINARIES || 'true') === 'true';
  const wanted = pluginPaths(environment).filter(
    (path) => !skipped.includes(basename(path)) && (mayReplace || !existsSync(path)),
  );
  // What is there already needs no room: a disk that is full shall not keep calico-node from starting.
  const stale = wanted.filter((path) => !existsSync(path) || !isSameContent(path, shim()));
  for (const path of stale) {
    mkdirSync(dirname(path), { recursive: true });
    writeWhole(path, 0o755, (unfinished) => copyFileSync(shim(), unfinished));
  }
  return stale;
}

/** Reads piece by piece: the plugin has a hundred megabytes. */
function isSameContent(one: string, other: string): boolean {
  const files = [one, other].map((path) => ({ fd: openSync(path, 'r'), piece: Buffer.alloc(2 ** 20) }));
  try {
    for (;;) {
      const [a, b] = files.map(({ fd, piece }) => piece.subarray(0, readSync(fd, piece)));
      if (!a || !b || !a.equals(b)) return false;
      if (a.length === 0) return true;
    }
  } finally {
    for (const { fd } of files) closeSync(fd);
  }
}

/**
 * Returns the path of what was written. Variables are upstream's: CNI_NET_DIR, CNI_CONF_NAME, CNI_NETWORK_CONFIG or
 * CNI_NETWORK_CONFIG_FILE, CNI_MTU; CNI_HOST_NET_DIR is how the host itself calls CNI_NET_DIR.
 * @throws Error when the configuration is not JSON or the file cannot be written
 */
export function writeNetworkConfiguration(environment: Environment, node: string): string {
  const netFolder = cniConfigurationFolder(environment);
  const configuration = networkConfigurationPath(environment);
  const text = fillIn(templateIn(environment), {
    __KUBERNETES_NODE_NAME__: environment.KUBERNETES_NODE_NAME || node,
    __CNI_MTU__: environment.CNI_MTU || '0',
    __LOG_LEVEL__: environment.LOG_LEVEL || 'info',
    __KUBECONFIG_FILEPATH__: join(environment.CNI_HOST_NET_DIR || netFolder, kubeconfigName),
  });
  mkdirSync(netFolder, { recursive: true });
  writeTextWhole(configuration, 0o600, text);
  return configuration;
}

/** Of the file beside the configuration by which other plugins reach the API server. */
export const kubeconfigName = 'calico-kubeconfig';

function templateIn({ CNI_NETWORK_CONFIG_FILE: file, CNI_NETWORK_CONFIG: text }: Environment): string {
  if (file) return readFileSync(file, 'utf8');
  return text || defaultTemplate;
}

const defaultTemplate = JSON.stringify(
  {
    name: 'k8s-pod-network',
    cniVersion: '1.0.0',
    plugins: [
      { type: 'calico', ipam: { type: 'calico-ipam' }, policy: { type: 'k8s' } },
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  },
  undefined,
  2,
);

/** @throws Error when what comes out is not JSON: a runtime would have no network at all then */
function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  let text = template;
  for (const [placeholder, value] of Object.entries(values)) text = text.replaceAll(placeholder, () => value);
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new Error('Cannot install the CNI network configuration: it is not JSON', { cause });
  }
  return text;
}
