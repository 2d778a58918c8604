// Who reaches whom without any policy: pods, Services through kube-proxy, nodes, host ports, the API server.
import type { TestContext } from 'node:test';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { bodyOf, httpRequest } from '../http.ts';
import { apply, fetchesFrom, podManifest, type RunningPod, readyPods } from '../pods.ts';
import { busyboxPath } from '../test-images.ts';

const hostPort = 30_080;

/** Leaves its pods: "one" and "two" on node-1, "three" on node-2, "four" on node-3, and the Service "web" before three and four. */
export async function connectivity(t: TestContext, cluster: Cluster): Promise<void> {
  await apply(
    cluster,
    podManifest({ name: 'one', node: 'node-1' }),
    podManifest({ name: 'two', node: 'node-1', isProbed: true }),
    podManifest({ name: 'three', node: 'node-2', labels: { role: 'web' }, isProbed: true, hostPort }),
    podManifest({ name: 'four', node: 'node-3', labels: { role: 'web' }, isProbed: true }),
    podManifest({ name: 'on-host', node: 'node-2', hostNetwork: true, port: 18_080 }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { role: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    },
  );
  const pods = await readyPods(cluster, ['one', 'two', 'three', 'four', 'on-host']);
  const pod = (name: string): RunningPod => {
    const found = pods.get(name);
    if (!found) throw new Error(`There is no pod "${name}"`);
    return found;
  };
  const url = (address: string, port = 8080) => `http://${address}:${port}/`;
  const service = JSON.parse(await cluster.kubectl(['get', 'service', 'web', '--output=json'])).spec
    .clusterIP;
  const one = pod('one');

  await t.test('pod to pod on one node', () => fetchesFrom(cluster, one, url(pod('two').ip), /^two$/));
  await t.test('pod to pod on another node', () =>
    fetchesFrom(cluster, one, url(pod('three').ip), /^three$/),
  );
  await t.test('pod to Service', () => fetchesFrom(cluster, one, url(service, 80), /^(three|four)$/));
  await t.test('a pod behind the Service to the Service', () =>
    fetchesFrom(cluster, pod('three'), url(service, 80), /^(three|four)$/),
  );
  await t.test('pod to its own node', () =>
    fetchesFrom(cluster, pod('three'), url(pod('three').hostIp, 18_080), /^on-host$/),
  );
  await t.test('pod to another node', () =>
    fetchesFrom(cluster, one, url(pod('three').hostIp, 18_080), /^on-host$/),
  );
  await t.test('node to its own pod and to one of another node', async () => {
    await nodeFetches(cluster, 'node-1', url(pod('two').ip), 'two');
    await nodeFetches(cluster, 'node-1', url(pod('three').ip), 'three');
  });
  await t.test('node to Service', () => nodeFetches(cluster, 'node-1', url(service, 80), /three|four/));
  await t.test('host port, from another node and from a pod', async () => {
    await nodeFetches(cluster, 'node-1', url(pod('three').hostIp, hostPort), 'three');
    await fetchesFrom(cluster, one, url(pod('three').hostIp, hostPort), /^three$/);
  });
  await t.test('pod to the API server by its Service', async () => {
    await eventually('the API server answers the pod', async () => {
      const text = await cluster.kubectl([
        'exec',
        'one',
        '--',
        ...['sh', '-c', 'echo | nc -w 3 10.96.0.1 443 && echo connected'],
      ]);
      return text.includes('connected');
    });
  });
}

/** Resolves once the node itself gets this from the URL. */
export async function nodeFetches(
  cluster: Cluster,
  node: string,
  url: string,
  text: string | RegExp,
): Promise<void> {
  const wanted = typeof text === 'string' ? new RegExp(`^${text}$`) : text;
  await eventually(
    `${node} gets ${wanted} from ${url}`,
    async () => {
      const answer = await cluster.node(node).run(['sh', '-c', httpRequest(`${busyboxPath()} nc`, url)]);
      return wanted.test(bodyOf(answer));
    },
    { deadlineMs: 60_000, everyMs: 250 },
  );
}
