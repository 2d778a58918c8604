// A hundred pods at once over three nodes: how long until all run, with the reference bridge plugin and then with Calico on the same
// nodes; and that after every round nothing is left of them. Times are told, and never judged.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { apply } from '../pods.ts';
import { busyboxImage } from '../test-images.ts';

const count = 100;
/** Five, unless the environment says how many. */
const rounds = Number(process.env.CALICO_TEST_ROUNDS || 5);
const configurationPath = '/etc/cni/net.d/10-reference.conflist';

/** With the plugins `bridge` and `host-local`, which route nothing between nodes and enforce nothing. */
export async function withReferencePlugin(t: TestContext, cluster: Cluster): Promise<number> {
  for (const [index, node] of cluster.nodes.entries()) {
    await node.run(
      ['sh', '-c', `cat >${configurationPath}`],
      JSON.stringify(referenceConfiguration(`10.88.${index}.0/24`)),
    );
  }
  await cluster.kubectl(['wait', '--for=condition=Ready', '--all', '--timeout=120s', 'node']);
  const median = await run(t, cluster, 'bridge');
  for (const node of cluster.nodes) {
    await node.run(['rm', configurationPath]);
    await node.run(['ip', 'link', 'delete', 'cni0']);
  }
  return median;
}

/** With Calico, which is installed; `reference` is the other's median. */
export async function withCalico(t: TestContext, cluster: Cluster, reference: number): Promise<void> {
  const median = await run(t, cluster, 'Calico', () => nothingIsLeft(cluster));
  t.diagnostic(`Calico takes ${(median / reference).toFixed(2)} times as long as bridge, by medians`);
}

/** Neither an address nor a link of a pod that is gone. */
async function nothingIsLeft(cluster: Cluster): Promise<void> {
  await untilAddressesAgree(cluster);
  for (const node of cluster.nodes) {
    const links = await node.run(['ip', '-oneline', 'link', 'show', 'type', 'veth']);
    const pods = JSON.parse(
      await cluster.kubectl([
        'get',
        'pods',
        '--all-namespaces',
        `--field-selector=spec.nodeName=${node.name}`,
        '--output=json',
      ]),
    ).items.filter(({ spec }: { spec: { hostNetwork?: boolean } }) => !spec.hostNetwork);
    assert.equal(
      links.match(/^\d+: cali/gm)?.length ?? 0,
      pods.length,
      `${node.name} has the links\n${links}`,
    );
  }
}

/** The median in milliseconds; whoever comes first reads images and programs from the disk, which moves no median. */
async function run(
  t: TestContext,
  cluster: Cluster,
  plugin: string,
  afterEach: () => Promise<void> = async () => {},
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push(await oneRound(cluster));
    await afterEach();
  }
  t.diagnostic(`${count} pods with ${plugin}, ms until all run: ${times.map(Math.round).join(', ')}`);
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

async function oneRound(cluster: Cluster): Promise<number> {
  const started = performance.now();
  await apply(cluster, deployment);
  await cluster.kubectl([
    'wait',
    'deployment/hundred',
    `--for=jsonpath={.status.readyReplicas}=${count}`,
    '--timeout=600s',
  ]);
  const took = performance.now() - started;
  await cluster.kubectl(['delete', 'deployment', 'hundred', '--cascade=foreground', '--timeout=600s']);
  return took;
}

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'hundred', namespace: 'default' },
  spec: {
    replicas: count,
    selector: { matchLabels: { app: 'hundred' } },
    template: {
      metadata: { labels: { app: 'hundred' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [{ name: 'silent', image: busyboxImage, imagePullPolicy: 'Never' }],
      },
    },
  },
};

function referenceConfiguration(subnet: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'reference',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isDefaultGateway: true,
        ipam: { type: 'host-local', ranges: [[{ subnet }]] },
      },
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
    ],
  };
}
