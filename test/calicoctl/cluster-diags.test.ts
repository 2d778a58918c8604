// What `calicoctl cluster diags` packs, and what it leaves out: on an API server with a kubelet's answers before it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import {
  type CustomResourceDefinition,
  clusterNetworkPolicies,
  configMaps,
  customResourceDefinitions,
  endpointSlices,
  kubernetesNetworkPolicies,
  namespaces,
  type Pod,
  pods,
  type Resource,
  type ResourceKind,
  secrets,
  services,
} from '../../src/resources/index.ts';
import { ApiCluster } from './api-cluster.ts';

const secret = 'hunter2';
const copy = { 'kubectl.kubernetes.io/last-applied-configuration': `{"password":"${secret}"}` };
const kindOf = (group: string, kind: string, plural: string): ResourceKind => ({
  group,
  version: 'v1',
  kind,
  plural,
  namespaced: true,
});
const events = kindOf('', 'Event', 'events');
const daemonSets = kindOf('apps', 'DaemonSet', 'daemonsets');
const deployments = kindOf('apps', 'Deployment', 'deployments');

let cluster: ApiCluster;
before(async () => {
  cluster = await ApiCluster.start();
});
after(() => cluster[Symbol.asyncDispose]());

const create = (kind: ResourceKind, namespace: string | undefined, name: string, more: object) =>
  cluster.store.create(kind, {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    ...more,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      annotations: copy,
      ...(more as { metadata?: object }).metadata,
    },
  } as Resource);

/** The embedded server has no workloads of its own. */
async function declare({ group, version, kind, plural }: ResourceKind): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await cluster.store.create(customResourceDefinitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  } as unknown as CustomResourceDefinition);
}

/** Stands before the API server: knows logs, as a kubelet does, refuses what is said, and notes what it was asked. */
async function startFront(refused: RegExp): Promise<{ server: Server; asked: string[]; url: string }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    asked.push(path);
    if (path.includes('/log?')) {
      const isPrevious = new URL(path, 'http://front').searchParams.get('previous') === 'true';
      response.end(isPrevious ? 'its last words\n' : 'what it says now\n');
    } else if (refused.test(path)) {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'you may not', code: 403 }),
      );
    } else {
      const { authorization = '' } = request.headers;
      fetch(`${cluster.url}${path}`, { headers: { authorization, accept: 'application/json' } })
        .then(async (answer) => {
          response.writeHead(answer.status, { 'content-type': 'application/json' });
          response.end(await answer.text());
        })
        .catch((error: unknown) => response.destroy(error as Error));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Collects, and returns the archive's texts by their names without the folder that is called after the time. */
async function collect(kubeconfig: string): Promise<Map<string, string>> {
  const environment = { KUBECONFIG: kubeconfig };
  const { stdout, stderr } = await cluster.run(['cluster', 'diags'], { folder: cluster.folder, environment });
  const archive = /saved to (\S+)/.exec(stdout)?.[1] ?? '';
  assert.equal(dirname(archive), cluster.folder, stderr);
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).split('\n');
  const files = names.filter((name) => name !== '' && !name.endsWith('/'));
  return new Map(
    files.map((name) => [
      name.slice(name.indexOf('/') + 1),
      execFileSync('tar', ['-xzOf', archive, name], { encoding: 'utf8' }),
    ]),
  );
}

test('cluster diags packs what help needs and no secret, and says why of what it may not read', async () => {
  for (const kind of [daemonSets, deployments]) await declare(kind);
  for (const name of ['calico-system', 'shop'])
    await cluster.store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const env = [
    { name: 'DB_PASSWORD', value: secret },
    { name: 'FELIX_LOGSEVERITYSCREEN', value: 'Debug' },
  ];
  const agent = { name: 'calico-node', image: 'any', env };
  const theirs = { name: 'main', image: 'any', env, command: [secret], args: [`--token=${secret}`] };
  const labels = { 'k8s-app': 'calico-node' };
  await create(pods, 'calico-system', 'calico-node-x', {
    metadata: { labels, annotations: { ...copy, note: 'kept' } },
    spec: {
      nodeName: 'node-1',
      initContainers: [{ name: 'install-cni', image: 'any' }],
      containers: [agent],
    },
  });
  await create(pods, 'shop', 'web', { spec: { nodeName: 'node-1', containers: [theirs] } });
  const status = (name: string, message: string): Pod['status'] => ({
    containerStatuses: [
      {
        name,
        image: 'any',
        imageID: '',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff', message } },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message } },
      },
    ],
  });
  for (const [namespace, name, container, message] of [
    ['calico-system', 'calico-node-x', 'calico-node', 'back-off 40s'],
    ['shop', 'web', 'main', `exec: "main --token=${secret}": not found`],
  ] as const) {
    const patch = { status: status(container, message) };
    await cluster.store.mergePatch(pods, { namespace, name }, patch, { subresource: 'status' });
  }
  for (const kind of [daemonSets, deployments]) {
    const { plural } = kind;
    const template = (container: object) => ({ spec: { template: { spec: { containers: [container] } } } });
    await create(kind, 'calico-system', `calico-${plural}`, template(agent));
    await create(kind, 'shop', `shop-${plural}`, template(theirs));
  }
  const conflist = `{"plugins":[{"type":"calico","mtu":1410,"k8s_auth_token":"${secret}"}]}`;
  await create(configMaps, 'calico-system', 'calico-config', { data: { cni_network_config: conflist } });
  await create(configMaps, 'calico-system', 'other', { data: { words: secret } });
  await create(configMaps, 'shop', 'calico-config', { data: { words: secret } });
  const encoded = Buffer.from(secret).toString('base64');
  await create(secrets, 'calico-system', 'keys', { data: { key: encoded } });
  await create(kubernetesNetworkPolicies, 'shop', 'deny-all', { spec: { podSelector: {} } });
  await create(clusterNetworkPolicies, undefined, 'admin', {
    spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} } },
  });
  await create(services, 'shop', 'front', { spec: { ports: [{ port: 80 }] } });
  await create(endpointSlices, 'shop', 'front-1', { addressType: 'IPv4', endpoints: [] });
  const aboutWeb = { kind: 'Pod', namespace: 'shop', name: 'web' };
  const cni = 'plugin type="calico" failed (add): no pool is for the pod';
  for (const [reason, message] of [
    ['FailedCreatePodSandBox', cni],
    ['Unhealthy', `Liveness probe failed: command "check --password=${secret}" timed out`],
    [
      'ProbeWarning',
      `Readiness probe errored and resulted in unknown state: Get "http://10.1.0.5:80/?token=${secret}": dial tcp 10.1.0.5:80: connect: connection refused`,
    ],
    ['FailedPostStartHook', `Exec lifecycle hook ([sh -c ${secret}]) failed`],
    ['Failed', `Error: cannot start: exec: "main --token=${secret}": executable file not found`],
    ['Webhook', `calling https://person:${secret}@example.com/?key=${secret} failed`],
  ] as const) {
    await create(events, 'shop', reason.toLowerCase(), { involvedObject: aboutWeb, reason, message });
  }
  await create(events, 'calico-system', 'own', {
    involvedObject: { kind: 'Pod', namespace: 'calico-system', name: 'calico-node-that-is-gone' },
    reason: 'Unhealthy',
    message: 'Readiness probe failed: BIRD is not up',
  });

  const { server, asked, url } = await startFront(/\/ippools\b/);
  try {
    const kubeconfig = readFileSync(cluster.kubeconfig, 'utf8').replaceAll(cluster.url, url);
    const files = await collect(cluster.write('front.kubeconfig', kubeconfig));
    const read = (name: string) =>
      files.get(name) ?? assert.fail(`${name} is not among ${[...files.keys()]}`);
    const names = (plural: string) =>
      (parse(read(`kubernetes/${plural}.yaml`)) as Resource[]).map(({ metadata }) => metadata.name);
    const everything = [...files.values()].join('\n');

    assert.doesNotMatch(everything, new RegExp(`${secret}|${encoded}|last-applied`));
    assert.deepEqual(
      asked.filter((path) => path.includes('/secrets')),
      [],
    );
    assert.match(read('calico/ippools.yaml.error'), /you may not/);
    assert.ok(files.has('calico/tiers.yaml') && files.has('kubernetes/nodes.yaml'));

    assert.deepEqual(names('networkpolicies'), ['deny-all']);
    assert.deepEqual(names('clusternetworkpolicies'), ['admin']);
    assert.ok(names('services').includes('front'));
    assert.deepEqual(names('endpointslices'), ['front-1']);
    assert.deepEqual(names('daemonsets'), ['calico-daemonsets']);
    assert.deepEqual(names('deployments'), ['calico-deployments']);
    assert.deepEqual(names('configmaps'), ['calico-config']);
    assert.match(read('kubernetes/configmaps.yaml'), /"mtu":1410/);
    assert.match(read('kubernetes/pods.yaml'), /note: kept/);
    assert.match(read('kubernetes/pods.yaml'), /message: back-off 40s/);
    // Settings of Calico's own programs are what people are asked for.
    for (const plural of ['pods', 'daemonsets', 'deployments'])
      assert.equal([...read(`kubernetes/${plural}.yaml`).matchAll(/value: Debug/g)].length, 1, plural);

    const said = (parse(read('kubernetes/events.yaml')) as (Resource & Record<string, string>)[]).map(
      ({ reason, message }) => `${reason}: ${message}`,
    );
    assert.deepEqual(said.toSorted(), [
      'Failed: Error: cannot start: exec: (left out)',
      `FailedCreatePodSandBox: ${cni}`,
      'FailedPostStartHook: (left out)',
      'ProbeWarning: Readiness probe errored and resulted in unknown state: (left out): dial tcp 10.1.0.5:80: connection refused',
      'Unhealthy: Liveness probe failed: (left out): timed out',
      'Unhealthy: Readiness probe failed: BIRD is not up',
      'Webhook: calling https://(left out)@example.com/?(left out) failed',
    ]);

    assert.match(read('versions/client.yaml'), /^calicoctl: \d+\.\d+\.\d+$/m);
    assert.match(read('versions/server.yaml'), /^gitVersion: v1\.\d+/m);
    const logs = [...files].filter(([name]) => name.startsWith('logs'));
    assert.deepEqual(logs.toSorted(), [
      ['logs/calico-system/calico-node-x/calico-node.log', 'what it says now\n'],
      ['logs/calico-system/calico-node-x/calico-node.previous.log', 'its last words\n'],
      ['logs/calico-system/calico-node-x/install-cni.log', 'what it says now\n'],
    ]);
  } finally {
    server.close();
  }
});

test('cluster diags says why where there is nobody to ask, and misses no kind that a cluster may do without', async () => {
  await using bare = await ApiCluster.start({ withKinds: false });
  const files = await collect(bare.kubeconfig);
  assert.match(files.get('calico/ippools.yaml.error') ?? '', /Cannot list IPPool objects/);
  assert.match(files.get('kubernetes/daemonsets.yaml.error') ?? '', /Cannot list DaemonSet objects/);
  assert.deepEqual(
    [...files.keys()].filter((name) => name.includes('clusternetworkpolicies')),
    [],
  );
});
