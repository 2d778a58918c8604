// The other ways to install, on a cluster whose kube-proxy writes nftables: by Helm, with routes by BGP, beside Debian's containerd as
// its package leaves it; then, once that has left, policy alone beside a network that somebody else makes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { calicoImage } from '../calico-image.ts';
import { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { type } from '../guide.ts';
import { calicoIsReady, installCalicoctl, installGuide, manifest } from '../install.ts';
import { pluginFolders } from '../node-configuration.ts';
import { readyPods } from '../pods.ts';
import { leftovers } from '../run-folder.ts';
import { bgpObjects } from '../scenarios/bgp-objects.ts';
import { connectivity } from '../scenarios/connectivity.ts';
import { denyAll } from '../scenarios/deny-all.ts';
import { doctorFindsNothing } from '../scenarios/doctor.ts';
import { foreignRuntime } from '../scenarios/foreign-runtime.ts';
import { ipv6 } from '../scenarios/ipv6.ts';
import { requestCount, variantIsLeast } from '../scenarios/least-privilege.ts';
import { uninstall } from '../scenarios/uninstall.ts';
import { testImages } from '../test-images.ts';

const podRange = '10.66.0.0/16';
const podRange6 = 'fd66::/56';
let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({
    nodes: 3,
    proxyMode: 'nftables',
    podRange,
    podRange6,
    isDualStack: true,
    containerd: 'debian',
    images: [...testImages(), await calicoImage()],
  });
  await installCalicoctl(cluster);
});
after(async () => {
  await cluster?.stop();
  assert.deepEqual(leftovers(cluster.run.id), []);
});

test('Helm installs it with BGP and both families', async () => {
  const values = installGuide.valuesOf('Runtimes, distributions', "Debian's package `containerd`");
  assert.deepEqual(values, [`cni.binFolder=${pluginFolders.debian}`]);
  for (const command of installGuide.commandsOf('With Helm')) {
    const asWanted = command.replace('networking=vxlan', 'networking=bgp').replace('10.244.0.0/16', podRange);
    await type(cluster, `${asWanted} --set ${[...values, `pools.ipv6.cidr=${podRange6}`].join()}`);
  }
  await calicoIsReady(cluster);
});
test('pods, services, nodes and the API server reach each other', (t) => connectivity(t, cluster));
test('over IPv6, pods, Services and nodes reach each other, and policies block', (t) =>
  ipv6(t, cluster, podRange6));
test('nodes know by BGP where pods are; there is no tunnel, and kube-proxy writes nftables', async () => {
  for (const node of cluster.nodes) {
    await eventually(`${node.name} has a route to a block of each other node`, async () => {
      const routes = await node.run(['ip', 'route', 'show', 'proto', 'bird']);
      const routes6 = await node.run(['ip', '-6', 'route', 'show', 'proto', 'bird']);
      return (
        (routes.match(/^10\.66\.\S+ via 172\.30\.0\.\d+/gm)?.length ?? 0) >= 2 &&
        (routes6.match(/^fd66:\S+ via fd30::\d+/gm)?.length ?? 0) >= 2
      );
    });
    assert.doesNotMatch(await node.run(['ip', '-oneline', 'link']), /vxlan/);
    assert.match(await node.run(['nft', 'list', 'tables']), /table ip kube-proxy/);
  }
});
test('the doctor finds nothing where routes come by BGP', () => doctorFindsNothing(cluster));
test('a deny-all policy blocks, and probes go on, with BGP', (t) => denyAll(t, cluster));
test('a containerd that looks elsewhere for plugins is named by the doctor', () => foreignRuntime(cluster));
test('what people ask of BGP besides is answered', () => bgpObjects(cluster));
test('with BGP, service accounts may do what they need, and no more', (t) =>
  variantIsLeast(t, cluster, { since: 0, isStandalone: false }));
test('Helm upgrades it, and a definition that has changed meanwhile', async () => {
  const definition = 'customresourcedefinition/tiers.projectcalico.org';
  const path = '/spec/versions/0/schema/openAPIV3Schema/description';
  const older = JSON.stringify([{ op: 'add', path, value: 'As it was before.' }]);
  // Whoever applies the newer one finds that this is Helm's.
  await cluster.kubectl(['patch', definition, '--field-manager=helm', '--type=json', `--patch=${older}`]);
  for (const command of installGuide.commandsOf('Upgrade with Helm')) await type(cluster, command);
  await calicoIsReady(cluster);
  const described = '--output=jsonpath={.spec.versions[0].schema.openAPIV3Schema.description}';
  assert.doesNotMatch(await cluster.kubectl(['get', definition, described]), /As it was/);
});
test('Helm takes it away, and nothing of it stays', async (t) => {
  await cluster.kubectl(['delete', 'pods', '--all', '--now']);
  await uninstall(t, cluster, 'Uninstall with Helm');
});

let requestsBefore = 0;
test('policy alone is installed beside routes that others make', async () => {
  // The manifest is for containerd as it is mostly set up.
  for (const node of cluster.nodes) await node.setUpContainerd('upstream');
  requestsBefore = requestCount(cluster);
  for (const { name, address } of cluster.nodes) {
    const range = await cluster.kubectl(['get', 'node', name, '--output=jsonpath={.spec.podCIDR}']);
    const route = ['ip', 'route', 'add', range, 'via', address] as const;
    for (const other of cluster.nodes.filter((node) => node.name !== name)) await other.run(route);
    // The API server answers pods, too.
    await cluster.api.runClient(route);
  }
  await cluster.kubectl(['apply', '--filename', manifest('calico-policy-only.yaml')]);
  await calicoIsReady(cluster);
});
test('pods have addresses of their nodes, and reach each other', async (t) => {
  await connectivity(t, cluster);
  const names = ['one', 'two', 'three', 'four'];
  const pods = await readyPods(cluster, names);
  for (const name of names) assert.match(pods.get(name)?.ip ?? '', /^10\.66\./);
});
test('the doctor finds nothing where Calico is policy alone', () => doctorFindsNothing(cluster));
test('a deny-all policy blocks, and probes go on, where Calico is policy alone', (t) => denyAll(t, cluster));
test('as policy alone, service accounts may do what they need, and no more', (t) =>
  variantIsLeast(t, cluster, { since: requestsBefore, isStandalone: true }));
test('policy alone leaves, too, and nothing of it stays', async (t) => {
  await cluster.kubectl(['delete', 'pods', '--all', '--now']);
  await uninstall(t, cluster, 'Uninstall\n');
});
