// Where the cluster is, as upstream's calicoctl finds it: the configuration file (kind CalicoAPIConfig), then the
// environment for what the file leaves out, then the kubeconfig of the person's home, then the pod that we run in.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import {
  accessFromKubeconfig,
  accessFromKubeconfigs,
  accessFromKubeconfigText,
  accessFromPod,
  type ClusterAccess,
  staticCredential,
} from '../datastore/index.ts';
import type { GlobalOptions } from './options.ts';
import { CommandError } from './problem.ts';

/** Where the configuration is looked for unless the person says otherwise. */
const usualConfigFile = '/etc/calico/calicoctl.cfg';

/** Settings by their name in the file, and the environment variable that stands in for it. */
const variables = {
  datastoreType: 'DATASTORE_TYPE',
  kubeconfig: 'KUBECONFIG',
  kubeconfigInline: undefined,
  k8sAPIEndpoint: 'K8S_API_ENDPOINT',
  k8sKeyFile: 'K8S_KEY_FILE',
  k8sCertFile: 'K8S_CERT_FILE',
  k8sCAFile: 'K8S_CA_FILE',
  k8sAPIToken: 'K8S_API_TOKEN',
  k8sInsecureSkipTLSVerify: 'K8S_INSECURE_SKIP_TLS_VERIFY',
  k8sCurrentContext: 'K8S_CURRENT_CONTEXT',
} as const;

type Setting = keyof typeof variables;
type Settings = { readonly [setting in Setting]?: string };

/** Reads what the person has configured. @throws CommandError when it does not lead to a cluster */
export function readClusterAccess(
  options: GlobalOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ClusterAccess {
  const settings = readSettings(options.config, environment);
  const type = settings.datastoreType ?? 'kubernetes';
  if (type !== 'kubernetes') {
    throw new CommandError(
      `Cannot use the datastore type "${type}": this calicoctl works with "kubernetes" (DATASTORE_TYPE, spec.datastoreType)`,
    );
  }
  const ownKubeconfig = options.kubeconfig;
  const context = options.context ?? settings.k8sCurrentContext;
  try {
    if (ownKubeconfig !== undefined) return accessFromKubeconfig(ownKubeconfig, context);
    if (settings.kubeconfigInline) {
      return accessFromKubeconfigText(settings.kubeconfigInline, 'spec.kubeconfigInline', context);
    }
    const kubeconfigs = existing(settings.kubeconfig);
    if (kubeconfigs.length > 0) return accessFromKubeconfigs(kubeconfigs, context);
    if (settings.k8sAPIEndpoint) return accessByEndpoint(settings.k8sAPIEndpoint, settings);
    const own = join(homedir(), '.kube', 'config');
    if (existsSync(own)) return accessFromKubeconfig(own, context);
    return accessFromPod(environment);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `Cannot find the cluster: ${why}. Set KUBECONFIG, or write ${usualConfigFile}`,
      undefined,
      { cause },
    );
  }
}

function readSettings(
  configFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const settings: { [setting in Setting]?: string } = {};
  for (const [setting, variable] of Object.entries(variables) as [Setting, string | undefined][]) {
    const value = variable && environment[variable];
    if (value) settings[setting] = value;
  }
  const file = configFile ?? usualConfigFile;
  // The usual file is a convenience; one that was asked for must be there.
  if (configFile === undefined && !existsSync(file)) return settings;
  return { ...settings, ...readConfigFile(file) };
}

function readConfigFile(file: string): Settings {
  const fail = (why: string): never => {
    throw new CommandError(`Cannot use the configuration file "${file}": ${why}`);
  };
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  const { kind, spec } = Object(document) as { kind?: unknown; spec?: unknown };
  if (kind !== 'CalicoAPIConfig') return fail(`its kind must be "CalicoAPIConfig", not "${kind ?? ''}"`);
  const settings: { [setting in Setting]?: string } = {};
  for (const [name, value] of Object.entries(Object(spec) as Record<string, unknown>)) {
    // Upstream's file may carry settings of etcd, which datastoreType then says are in use.
    if (name.startsWith('etcd')) continue;
    if (!Object.hasOwn(variables, name)) fail(`spec.${name} is not a known setting`);
    if (value !== null && value !== '') settings[name as Setting] = String(value);
  }
  return settings;
}

/** KUBECONFIG may list several files, some of which may be missing; where all are, they are returned to be complained of. */
function existing(paths: string | undefined): readonly string[] {
  const files = (paths ?? '').split(delimiter).filter((path) => path !== '');
  const found = files.filter((path) => existsSync(path));
  return found.length > 0 ? found : files;
}

function accessByEndpoint(server: string, settings: Settings): ClusterAccess {
  const read = (file: string | undefined) => file && readFileSync(file, 'utf8');
  const tls = {
    ca: read(settings.k8sCAFile),
    cert: read(settings.k8sCertFile),
    key: read(settings.k8sKeyFile),
    rejectUnauthorized: settings.k8sInsecureSkipTLSVerify === 'true' ? false : undefined,
  };
  const token = settings.k8sAPIToken;
  return {
    server,
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    credential: token
      ? staticCredential(`Bearer ${token}`)
      : { header: async () => undefined, refused: () => {} },
    namespace: 'default',
  };
}
