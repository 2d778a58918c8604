// What seldom befalls addresses, and has its part of what calico-node and the controllers may do: two of them for one pod, a block
// that two nodes reached for, one that nobody owns and goes with its last address, and a handle that counts wrong.
import type { TestContext } from 'node:test';
import { affinityLabels, affinityName } from '../../../src/ipam/names.ts';
import { nodeOwner } from '../../../src/ipam/owner.ts';
import { parseCidr } from '../../../src/net/index.ts';
import { blockName } from '../../../src/resources/index.ts';
import { untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { apply, podManifest, readyPods } from '../pods.ts';

const api = 'projectcalico.org/v3';
/** A pool of one block, which is drawn from by name only. */
const poolOf = (name: string, cidr: string, blockSize: number) => ({
  apiVersion: api,
  kind: 'IPPool',
  metadata: { name },
  spec: { cidr, blockSize, vxlanMode: 'Never', assignmentMode: 'Manual' },
});
interface Handle {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly block: Readonly<Record<string, number>> };
}

const [owned, shared, six] = ['10.78.0.0/29', '10.79.0.0/29', 'fd78::/125'] as const;

/** Comes behind what shortens the grace of the controllers. */
export async function rareAddresses(t: TestContext, cluster: Cluster): Promise<void> {
  const read = (what: readonly string[], path: string) =>
    cluster.kubectl(['get', ...what, '--ignore-not-found', `--output=jsonpath=${path}`]);
  const drawing = (name: string, node: string, annotations: Record<string, string>) =>
    apply(cluster, podManifest({ name, node, annotations }));

  await apply(cluster, poolOf('owned', owned, 29), poolOf('shared', shared, 29), poolOf('six', six, 125));

  await t.test('a pod asks for an address of each family', async () => {
    await drawing('both', 'node-1', { 'cni.projectcalico.org/ipAddrs': '["10.78.0.5","fd78::5"]' });
    await readyPods(cluster, ['both']);
    const addresses = await read(
      ['pod', 'both'],
      String.raw`{.metadata.annotations.cni\.projectcalico\.org/podIPs}`,
    );
    if (addresses !== '10.78.0.5/32,fd78::5/128') throw new Error(`It has ${addresses}`);
  });

  await t.test('a handle that counts wrong is corrected', async () => {
    const counts = async () => {
      const { items }: { items: Handle[] } = JSON.parse(
        await cluster.kubectl(['get', 'ipamhandles', '--output=json']),
      );
      const found = items.find(({ spec }) => spec.block[owned] !== undefined);
      return { handle: found?.metadata.name ?? '', count: found?.spec.block[owned] };
    };
    const { handle } = await counts();
    const patch = JSON.stringify({ spec: { block: { [owned]: 3 } } });
    await cluster.kubectl(['patch', 'ipamhandle', handle, '--type=merge', `--patch=${patch}`]);
    await eventually('it counts the one address that there is', async () => (await counts()).count === 1, {
      deadlineMs: 120_000,
      everyMs: 1_000,
    });
  });

  await t.test('a block that is nobody’s goes with its last address', async () => {
    const block = blockName(parseCidr(owned));
    // As a node that was deleted leaves it.
    const patch = '[{"op":"remove","path":"/spec/affinity"}]';
    await cluster.kubectl(['patch', 'ipamblock', block, '--type=json', `--patch=${patch}`]);
    await cluster.kubectl(['delete', 'pod', '--now', 'both']);
    await eventually('it is gone', async () => (await read(['ipamblock', block], '{.spec.cidr}')) === '');
  });

  await t.test('a node that reached for a block of another gives its claim up, and borrows', async () => {
    const cidr = parseCidr(shared);
    const pool = { 'cni.projectcalico.org/ipv4pools': '["shared"]' };
    await drawing('owner', 'node-2', pool);
    await readyPods(cluster, ['owner']);
    const claim = affinityName('node-1', cidr);
    await apply(cluster, {
      apiVersion: api,
      kind: 'BlockAffinity',
      metadata: { name: claim, labels: affinityLabels(nodeOwner('node-1'), cidr) },
      spec: { cidr: shared, node: 'node-1', type: 'host', state: 'pending', deleted: false },
    });
    await drawing('borrower', 'node-1', pool);
    const pods = await readyPods(cluster, ['borrower']);
    if (!pods.get('borrower')?.ip.startsWith('10.79.0.')) throw new Error('It has another address');
    if ((await read(['blockaffinity', claim], '{.spec.state}')) !== '')
      throw new Error('The claim is still there');
    await cluster.kubectl(['delete', 'pod', '--now', 'borrower', 'owner']);
    await untilAddressesAgree(cluster);
  });

  await cluster.kubectl(['delete', 'ippool', 'owned', 'shared', 'six', '--timeout=60s']);
}
