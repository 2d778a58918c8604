// `calicoctl cluster diags`: collects the cluster's Calico objects, what of Kubernetes' they are about, and the logs of Calico's
// programs, for people who are asked for help.
import { join, resolve } from 'node:path';
import { ifThere, type KubernetesClient } from '../../datastore/index.ts';
import { type Pod, pods } from '../../resources/index.ts';
import { DiagnosticsArchive, timestamp } from '../diags/archive.ts';
import { withoutSecrets } from '../diags/without-secrets.ts';
import type { GlobalOptions } from '../options.ts';
import { toYaml } from '../output/yaml.ts';
import { openSession } from '../session.ts';
import { version } from '../version.ts';
import { type Collected, whatToCollect } from './collected.ts';
import { isProgram } from './programs.ts';

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

export async function clusterDiags(options: ClusterDiagsOptions): Promise<number> {
  await using session = await openSession({ ...options, allowVersionMismatch: true });
  const { client } = session;
  const name = `calico-cluster-diags-${timestamp()}`;
  const archive = new DiagnosticsArchive(name);
  process.stdout.write('Collecting diagnostics\n');
  archive.add('versions/client.yaml', toYaml({ calicoctl: version, node: process.versions.node }));
  let programs: readonly Pod[] = [];
  await archive.attempt('logs', async () => {
    programs = (await client.list(pods)).filter(isProgram);
  });
  const tasks = [
    () => archive.collect('versions/server.yaml', async () => toYaml(await client.serverVersion())),
    ...whatToCollect(programs).map((what) => () => collectObjects(archive, client, what)),
    ...logTasks(archive, client, programs, options),
  ];
  await inParallel(tasks, options.maxParallelism);
  const { failures, folder } = archive;
  const keepsFolder = options.skipTempDirCleanup === true;
  const path = await archive.finish(resolve(join('.', `${name}.tar.gz`)), { keepsFolder });
  if (failures > 0) process.stdout.write(`${failures} things could not be collected; the archive says why\n`);
  if (keepsFolder) process.stdout.write(`The files lie in ${folder}\n`);
  process.stdout.write(`Diagnostics saved to ${path}\n`);
  return 0;
}

async function collectObjects(
  archive: DiagnosticsArchive,
  client: KubernetesClient,
  { kind, file, options, isOptional, isWanted, isOurs }: Collected,
): Promise<void> {
  await archive.attempt(file, async () => {
    const reading = client.list(kind, options);
    const objects = await (isOptional ? ifThere(reading) : reading);
    if (!objects) return;
    const wanted = isWanted ? objects.filter((object) => isWanted(object)) : objects;
    archive.add(file, toYaml(wanted.map((object) => withoutSecrets(object, isOurs?.(object)))));
  });
}

/** Per program the logs of as many pods as are wanted, those on the nodes in focus first, then those that were started again. */
function logTasks(
  archive: DiagnosticsArchive,
  client: KubernetesClient,
  found: readonly Pod[],
  { focusNodes = [], maxLogs, since: sinceSeconds }: ClusterDiagsOptions,
): (() => Promise<void>)[] {
  const programs = Map.groupBy(found, programOf);
  const rank = (pod: Pod) => (isInFocus(pod, focusNodes) ? 2 : 0) + (restarted(pod).size > 0 ? 1 : 0);
  const chosen = [...programs.values()].flatMap((instances) =>
    instances.toSorted((a, b) => rank(b) - rank(a)).slice(0, maxLogs),
  );
  return chosen.flatMap((pod) => {
    const { namespace = 'default', name } = pod.metadata;
    const collect = (container: string, previous: boolean) => () =>
      archive.collect(`logs/${namespace}/${name}/${container}${previous ? '.previous' : ''}.log`, () =>
        client.logs({ namespace, name }, container, { sinceSeconds, previous }),
      );
    const hadEarlierRuns = restarted(pod);
    return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].flatMap(
      ({ name: container }) => [
        collect(container, false),
        ...(hadEarlierRuns.has(container) ? [collect(container, true)] : []),
      ],
    );
  });
}

/** Names of the containers that have run before, as the kubelet counts. */
function restarted({ status = {} }: Pod): ReadonlySet<string> {
  const { containerStatuses = [], initContainerStatuses = [] } = status as {
    readonly containerStatuses?: readonly ContainerRuns[];
    readonly initContainerStatuses?: readonly ContainerRuns[];
  };
  const runs = [...initContainerStatuses, ...containerStatuses];
  return new Set(runs.filter(({ restartCount = 0 }) => restartCount > 0).map(({ name }) => name));
}

interface ContainerRuns {
  readonly name: string;
  readonly restartCount?: number;
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
