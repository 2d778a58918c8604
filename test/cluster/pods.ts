// Pods of the tests: what they are made of, and asking the API server and the pods themselves.
import type { Cluster } from './cluster.ts';
import { eventually } from './daemon.ts';
import { bodyOf, httpRequest } from './http.ts';
import { CommandError } from './run-command.ts';
import { busyboxImage } from './test-images.ts';

export interface PodWish {
  readonly name: string;
  readonly namespace?: string;
  /** Any node when undefined. */
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Answers its own name over HTTP here; 8080 unless said otherwise. */
  readonly port?: number;
  readonly hostPort?: number;
  readonly hostNetwork?: boolean;
  readonly serviceAccount?: string;
  /** Whether kubelet asks it over HTTP for its readiness. */
  readonly isProbed?: boolean;
}

export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  /** Where pods have addresses of both families. */
  readonly ip6: string | undefined;
  readonly hostIp: string;
}

export function podManifest(wish: PodWish): { readonly spec: object; readonly [field: string]: unknown } {
  const { name, namespace = 'default', node, labels = {}, port = 8080, hostPort, hostNetwork } = wish;
  const serve = `mkdir -p /tmp/www && echo ${name} >/tmp/www/index.html && exec httpd -f -p ${port} -h /tmp/www`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, ...labels }, annotations: wish.annotations ?? {} },
    spec: {
      ...(node && { nodeName: node }),
      ...(hostNetwork && { hostNetwork }),
      ...(wish.serviceAccount && { serviceAccountName: wish.serviceAccount }),
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'web',
          image: busyboxImage,
          imagePullPolicy: 'Never',
          command: ['/bin/sh', '-c', serve],
          ports: [{ name: 'http', containerPort: port, ...(hostPort && { hostPort }) }],
          ...(wish.isProbed && {
            readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1, timeoutSeconds: 2 },
          }),
        },
      ],
    },
  };
}

export function apply(cluster: Cluster, ...objects: readonly object[]): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return cluster.kubectl(['apply', '--filename=-'], JSON.stringify(list));
}

/** Resolves when all pods of these names are Ready. */
export async function readyPods(
  cluster: Cluster,
  names: readonly string[],
  namespace = 'default',
): Promise<Map<string, RunningPod>> {
  await cluster.kubectl([
    'wait',
    `--namespace=${namespace}`,
    '--for=condition=Ready',
    '--timeout=180s',
    ...names.map((name) => `pod/${name}`),
  ]);
  const { items } = JSON.parse(
    await cluster.kubectl(['get', 'pods', `--namespace=${namespace}`, '--output=json']),
  ) as { items: PodObject[] };
  return new Map(items.map((pod) => [pod.metadata.name, runningPod(pod)]));
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly podIP: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP: string;
  };
}

function runningPod({ metadata, spec, status }: PodObject): RunningPod {
  const { namespace, name } = metadata;
  const ip6 = status.podIPs?.find(({ ip }) => ip.includes(':'))?.ip;
  return { namespace, name, node: spec.nodeName, ip: status.podIP, ip6, hostIp: status.hostIP };
}

/** What a pod gets from a URL; rejects when it gets nothing within three seconds. */
async function fetchFrom(cluster: Cluster, pod: RunningPod, url: string): Promise<string> {
  const command = ['/bin/sh', '-c', httpRequest('nc', url)];
  return bodyOf(await cluster.kubectl(['exec', `--namespace=${pod.namespace}`, pod.name, '--', ...command]));
}

/** Resolves once the pod gets this from the URL. */
export async function fetchesFrom(
  cluster: Cluster,
  pod: RunningPod,
  url: string,
  text: RegExp,
): Promise<void> {
  await eventually(
    `${pod.name} gets ${text} from ${url}`,
    async () => text.test(await fetchFrom(cluster, pod, url)) || undefined,
    { deadlineMs: 60_000, everyMs: 250 },
  );
}

/** Resolves once three attempts in a row to reach the URL from the pod have failed. @throws CommandError when the pod could not try */
export async function isCutOff(cluster: Cluster, pod: RunningPod, url: string): Promise<void> {
  let failures = 0;
  await eventually(
    `${pod.name} gets nothing from ${url}`,
    () =>
      fetchFrom(cluster, pod, url).then(
        () => {
          failures = 0;
          return false;
        },
        (error: Error) => {
          // As kubectl says of a command that ran and ended so; there is no more to say when an answer never began.
          if (error instanceof CommandError && !/command terminated with exit code/.test(error.message))
            throw error;
          return ++failures === 3;
        },
      ),
    { deadlineMs: 60_000, everyMs: 0 },
  );
}
