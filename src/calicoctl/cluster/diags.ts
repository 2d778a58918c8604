// `calicoctl cluster diags`: collects the cluster's Calico objects and its programs' logs, for people who are asked for help.
import { join, resolve } from 'node:path';
import type { KubernetesClient } from '../../datastore/index.ts';
import {
  namespaces,
  nodes,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
} from '../../resources/index.ts';
import { DiagnosticsArchive, timestamp } from '../diags/archive.ts';
import { withoutSecrets } from '../diags/without-secrets.ts';
import { printedKinds } from '../kinds/kinds.ts';
import type { GlobalOptions } from '../options.ts';
import { toYaml } from '../output/yaml.ts';
import { openSession } from '../session.ts';

export interface ClusterDiagsOptions extends GlobalOptions {
  /** Seconds; absent for everything that is kept. */
  readonly since?: number;
  /** Of how many pods of each program the logs are collected. */
  readonly maxLogs: number;
  readonly maxParallelism: number;
  /** Nodes whose pods come first. */
  readonly focusNodes?: readonly string[];
  readonly skipTempDirCleanup?: boolean;
}

/** Namespaces that are Calico's alone, and the labels of its programs wherever else they were installed. */
const programNamespaces = ['calico-system', 'calico-apiserver', 'tigera-operator'];
const programLabels = ['calico-node', 'calico-kube-controllers', 'calico-typha'];

export async function clusterDiags(options: ClusterDiagsOptions): Promise<number> {
  await using session = await openSession({ ...options, allowVersionMismatch: true });
  const { client } = session;
  const name = `calico-cluster-diags-${timestamp()}`;
  const archive = new DiagnosticsArchive(name);
  process.stdout.write('Collecting diagnostics\n');
  const stored = printedKinds.filter(({ madeFrom }) => madeFrom === undefined);
  const kinds: readonly ResourceKind[] = [...stored, nodes, namespaces, pods];
  const tasks = kinds.map(
    (kind) => () =>
      archive.collect(`${kind.group === '' ? 'kubernetes' : 'calico'}/${kind.plural}.yaml`, async () =>
        toYaml((await client.list(kind)).map((object) => withoutSecrets(object, isProgram(object)))),
      ),
  );
  await archive.attempt('logs', async () => {
    tasks.push(...logTasks(archive, client, (await client.list(pods)).filter(isProgram), options));
  });
  await inParallel(tasks, options.maxParallelism);
  const { failures, folder } = archive;
  const keepsFolder = options.skipTempDirCleanup === true;
  const path = await archive.finish(resolve(join('.', `${name}.tar.gz`)), { keepsFolder });
  if (failures > 0) process.stdout.write(`${failures} things could not be collected; the archive says why\n`);
  if (keepsFolder) process.stdout.write(`The files lie in ${folder}\n`);
  process.stdout.write(`Diagnostics saved to ${path}\n`);
  return 0;
}

function isProgram({ kind, metadata: { namespace = '', labels } }: Resource): boolean {
  return (
    kind === 'Pod' &&
    (programNamespaces.includes(namespace) || programLabels.includes(labels?.['k8s-app'] ?? ''))
  );
}

/** Per program the logs of as many pods as are wanted, those on the nodes in focus first. */
function logTasks(
  archive: DiagnosticsArchive,
  client: KubernetesClient,
  found: readonly Pod[],
  { focusNodes = [], maxLogs, since }: ClusterDiagsOptions,
): (() => Promise<void>)[] {
  const programs = Map.groupBy(found, programOf);
  return [...programs.values()].flatMap((instances) =>
    instances
      .toSorted((a, b) => Number(isInFocus(b, focusNodes)) - Number(isInFocus(a, focusNodes)))
      .slice(0, maxLogs)
      .flatMap(({ metadata: { namespace = 'default', name }, spec }) =>
        [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
          ({ name: container }) =>
            () =>
              archive.collect(`logs/${namespace}/${name}/${container}.log`, () =>
                client.logs({ namespace, name }, container, since),
              ),
        ),
      ),
  );
}

/** What pods of one program have in common: the namespace, and the label that Kubernetes' and Calico's manifests give them. */
function programOf({ metadata }: Pod): string {
  const label = metadata.labels?.['k8s-app'] ?? metadata.labels?.['app.kubernetes.io/name'];
  return `${metadata.namespace}/${label ?? metadata.name}`;
}

function isInFocus({ spec }: Pod, focusNodes: readonly string[]): boolean {
  return focusNodes.includes(spec?.nodeName ?? '');
}

async function inParallel(tasks: readonly (() => Promise<void>)[], limit: number): Promise<void> {
  const waiting = tasks.values();
  const work = async () => {
    for (const task of waiting) await task();
  };
  await Promise.all(Array.from({ length: limit }, work));
}
