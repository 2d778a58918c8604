// The scene that the project exists for: kubectl apply, pods Ready, traffic, a deny-all policy that blocks. On a real Kubernetes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { type } from '../guide.ts';
import { calicoIsReady, installCalicoctl, installGuide } from '../install.ts';
import { apply } from '../pods.ts';
import { leftovers } from '../run-folder.ts';
import { addressesRunOut } from '../scenarios/addresses-run-out.ts';
import { clock } from '../scenarios/clock.ts';
import { cniToken } from '../scenarios/cni-token.ts';
import { cnitool } from '../scenarios/cnitool.ts';
import { connectivity } from '../scenarios/connectivity.ts';
import { controllers } from '../scenarios/controllers.ts';
import { denyAll } from '../scenarios/deny-all.ts';
import { diags } from '../scenarios/diags.ts';
import { doctorFindsNothing } from '../scenarios/doctor.ts';
import { faults } from '../scenarios/faults.ts';
import { foreignFirewall } from '../scenarios/foreign-firewall.ts';
import { fullDisk } from '../scenarios/full-disk.ts';
import { leastPrivilege } from '../scenarios/least-privilege.ts';
import { networkPolicies } from '../scenarios/network-policies.ts';
import { rareAddresses } from '../scenarios/rare-addresses.ts';
import { reboot } from '../scenarios/reboot.ts';
import { uninstall } from '../scenarios/uninstall.ts';
import { upgrade } from '../scenarios/upgrade.ts';
import { withoutAgent } from '../scenarios/without-agent.ts';
import { testImages } from '../test-images.ts';

/** What kubeadm leaves in the clusters that it makes. */
const podSubnet = '10.244.0.0/16';
const kubeadmConfiguration = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kubeadm-config', namespace: 'kube-system' },
  data: { ClusterConfiguration: `kind: ClusterConfiguration\nnetworking:\n  podSubnet: ${podSubnet}\n` },
};

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ nodes: 3, images: [...testImages(), await calicoImage()] });
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

test('three nodes join, and none is ready without a network', async () => {
  const conditions = await eventually('three nodes say whether they are ready', async () => {
    const { items } = JSON.parse(await cluster.kubectl(['get', 'nodes', '--output=json']));
    const ready = items.map(({ status }: { status: { conditions?: { type: string }[] } }) =>
      status.conditions?.find(({ type }) => type === 'Ready'),
    );
    return ready.length === 3 && ready.every(Boolean) ? ready : undefined;
  });
  for (const { status, message } of conditions) {
    assert.equal(status, 'False');
    assert.match(message, /cni plugin not initialized/);
  }
});
test('kubectl apply installs it: its pods are Ready, and then the nodes are', async (t) => {
  await apply(cluster, kubeadmConfiguration);
  const started = performance.now();
  for (const command of installGuide.commandsOf('With kubectl')) await type(cluster, command);
  await calicoIsReady(cluster);
  t.diagnostic(`ready ${Math.round(performance.now() - started)} ms after kubectl apply`);
  const pools = await cluster.kubectl(['get', 'ippools', '--output=jsonpath={.items[*].spec.cidr}']);
  assert.equal(pools, podSubnet);
});
test('the guide shows how to come by calicoctl: installed, and in the container of a node', async () => {
  await installCalicoctl(cluster);
  const commands = installGuide.commandsOf('calicoctl');
  assert.match(await type(cluster, 'calicoctl version'), /^Client Version: +v?\d/m);
  const inContainer = commands.find((command) => command.includes('kubectl exec')) ?? '';
  await eventually('the doctor finds nothing on a node', async () =>
    /: 0 errors, 0 warnings$/m.test(await type(cluster, inContainer)),
  );
});
test('the guide shows how to see that it works', async () => {
  const [nodes = '', pods = '', doctor = '', ...more] = installGuide.commandsOf('See that it works');
  assert.deepEqual(more, []);
  assert.equal((await type(cluster, nodes)).match(/ Ready /g)?.length, 3);
  assert.equal((await type(cluster, pods)).match(/ 1\/1 +Running /g)?.length, 4);
  // On a machine that is busy, the doctor finds an agent slow.
  await eventually('the doctor finds nothing', async () =>
    /: 0 errors, 0 warnings/.test(await type(cluster, doctor)),
  );
  await doctorFindsNothing(cluster);
});

test('pods, services, nodes and the API server reach each other', (t) => connectivity(t, cluster));
test('a deny-all policy blocks, and probes go on', (t) => denyAll(t, cluster));
test('NetworkPolicy means what Kubernetes says', (t) => networkPolicies(t, cluster));
test('the doctor names a firewall of another tool', () => foreignFirewall(cluster));
test('faults are survived', (t) => faults(t, cluster));
test('a node without an agent gets no pods', () => withoutAgent(cluster));
test('the CNI plugin has an account of its own, and no token stays', () => cniToken(cluster));
test('what help needs is packed', () => diags(cluster));
test("a node's disk is full", (t) => fullDisk(t, cluster));
test('the reference client of CNI drives the installed plugin', (t) => cnitool(t, cluster));
test('a node reboots: it comes back, and no address is lost or given twice', () => reboot(cluster));
test('addresses that run out, and those of a node that is gone', (t) => addressesRunOut(t, cluster));
test('what seldom befalls addresses', (t) => rareAddresses(t, cluster));
test('the controllers do their work', (t) => controllers(t, cluster));
test('a newer version is applied, and taken back, and no connection is lost', (t) => upgrade(t, cluster));
test('clocks jump', (t) => clock(t, cluster));
test('service accounts may do what they need, and no more', (t) => leastPrivilege(t, cluster));
test('Calico leaves, and nothing of it stays', (t) => uninstall(t, cluster, 'Uninstall\n'));
