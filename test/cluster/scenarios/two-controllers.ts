// Two replicas of calico-kube-controllers: one acts and the other waits, whoever of them dies is succeeded, what they look after goes on,
// and never do both act.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { addressesOfPods, untilAddressesAgree } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { calicoIsReady } from '../install.ts';
import { apply, podManifest, readyPods } from '../pods.ts';
import { controllers } from './controllers.ts';
import { type AuditEvent, requestsOf } from './least-privilege.ts';

const program = 'calico-kube-controllers';
const inNamespace = '--namespace=calico-system';
const podOfToken = 'authentication.kubernetes.io/pod-name';

/** Works with an installation of two replicas, and on a node-3 with nothing on it that has to stay. */
export async function twoControllers(t: TestContext, cluster: Cluster): Promise<void> {
  await t.test('the node goes on which the leader runs: the other collects its addresses', async () => {
    await leadFrom(cluster, 'node-3');
    const leader = await leaderOf(cluster);
    await configure(cluster, { leakGracePeriod: '10s' });
    const lost = ['lost-1', 'lost-2', 'lost-3'];
    await apply(cluster, ...lost.map((name) => podManifest({ name, node: 'node-3' })));
    await readyPods(cluster, lost);
    await cluster.node('node-3').powerOff();
    await cluster.kubectl(['delete', 'node', 'node-3']);
    await eventually('the other leads', async () => (await leaderOf(cluster)) !== leader);
    await eventually(
      'no block is claimed by the node, and no address given to a pod of it',
      async () => {
        const claims = await read(cluster, ['blockaffinities'], '{.items[*].spec.node}');
        assert.ok(!claims.split(' ').includes('node-3'), `blocks are claimed by ${claims}`);
        const { given, held } = await addressesOfPods(cluster);
        const nobodys = [...given].filter(([ip]) => !held.has(ip));
        assert.deepEqual(nobodys, []);
        return true;
      },
      { deadlineMs: 300_000, everyMs: 1_000 },
    );
    await cluster.reboot('node-3');
    await eventually('the node is registered', () => cluster.kubectl(['get', 'node', 'node-3']));
    await calicoIsReady(cluster);
  });

  await t.test('the leader is killed, whenever it is started again, until the other leads', async () => {
    const leader = await leaderOf(cluster);
    const node = cluster.node(await read(cluster, ['pod', inNamespace, leader], '{.spec.nodeName}'));
    await eventually(
      'the other leads',
      async () => {
        if ((await leaderOf(cluster)) !== leader) return true;
        await node.killProgram(program, `POD_NAME=${leader}`);
        return false;
      },
      { everyMs: 500 },
    );
    const starts = await read(
      cluster,
      ['pod', inNamespace, leader],
      '{.status.containerStatuses[0].restartCount}',
    );
    assert.notEqual(starts, '0');
    // Rather than to wait until its kubelet starts it again.
    await cluster.kubectl(['delete', 'pod', inNamespace, leader]);
  });

  await t.test('what the controllers look after goes on', async (inner) => {
    await controllers(inner, cluster);
    const known = new Set((await handles(cluster)).map(nameOf));
    await apply(cluster, podManifest({ name: 'counted', node: 'node-1' }));
    await readyPods(cluster, ['counted']);
    const counted = (await handles(cluster)).find((handle) => !known.has(nameOf(handle)));
    assert.ok(counted);
    const tooMany = Object.fromEntries(Object.keys(counted.spec.block).map((block) => [block, 3]));
    const patch = JSON.stringify({ spec: { block: tooMany } });
    await cluster.kubectl(['patch', 'ipamhandle', nameOf(counted), '--type=merge', `--patch=${patch}`]);
    await eventually(
      'its handle counts what there is',
      async () => {
        const now = (await handles(cluster)).find((handle) => nameOf(handle) === nameOf(counted));
        assert.deepEqual(now?.spec.block, counted.spec.block);
        return true;
      },
      { everyMs: 1_000 },
    );
    await cluster.kubectl(['delete', 'pod', '--now', 'counted']);
    await untilAddressesAgree(cluster);
    await calicoIsReady(cluster);
  });

  await t.test('three have led one after the other, and none acted while another led', (inner) => {
    const events = requestsOf(program, cluster).map(requestOf);
    const claims = events.filter(({ isClaim }) => isClaim);
    const leaders = [...new Set(claims.map(({ pod }) => pod))];
    inner.diagnostic(`${leaders.length} have led: ${leaders.join(', ')}`);
    assert.ok(leaders.length >= 3, leaders.join());
    const acts = events.filter(({ isAct }) => isAct);
    assert.ok(leaders.every((leader) => acts.some(({ pod }) => pod === leader)));
    assert.deepEqual(
      acts.filter((act) => !wasLeading(act, claims)),
      [],
    );
  });
}

interface Handle {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly block: Readonly<Record<string, number>> };
}

const nameOf = ({ metadata }: Handle) => metadata.name;

async function handles(cluster: Cluster): Promise<Handle[]> {
  return JSON.parse(await cluster.kubectl(['get', 'ipamhandles', '--output=json'])).items;
}

interface Request {
  readonly pod: string;
  readonly what: string;
  /** When the API server had it, and when it had answered. */
  readonly asked: number;
  readonly answered: number;
  /** The lease was taken or renewed. */
  readonly isClaim: boolean;
  /** Something else was to be changed. */
  readonly isAct: boolean;
}

function requestOf({ user, verb, objectRef, responseStatus, ...times }: AuditEvent): Request {
  const { resource = '', subresource, name = '' } = objectRef ?? {};
  const isWrite = ['create', 'update', 'patch', 'delete'].includes(verb);
  const ofLease = resource === 'leases';
  return {
    pod: user.extra?.[podOfToken]?.[0] ?? '',
    what: [verb, resource, subresource, name].filter(Boolean).join(' '),
    asked: Date.parse(times.requestReceivedTimestamp),
    answered: Date.parse(times.stageTimestamp),
    isClaim: isWrite && ofLease && (responseStatus?.code ?? 0) < 300,
    isAct: isWrite && !ofLease,
  };
}

/** It held the lease, and nobody else had taken it since. */
function wasLeading({ pod, asked }: Request, claims: readonly Request[]): boolean {
  const own = claims.findLast((claim) => claim.pod === pod && claim.asked <= asked);
  if (!own) return false;
  return !claims.some((claim) => claim.pod !== pod && claim.asked > own.asked && claim.answered < asked);
}

function read(cluster: Cluster, what: readonly string[], path: string): Promise<string> {
  return cluster.kubectl(['get', ...what, `--output=jsonpath=${path}`]);
}

/** The name of its pod. */
async function leaderOf(cluster: Cluster): Promise<string> {
  return eventually('one leads', async () => {
    const holder = await read(cluster, ['lease', inNamespace, program], '{.spec.holderIdentity}');
    return holder.replace(/_.*/, '');
  });
}

/** Has one replica lead from that node, and the other wait on one of the others. */
async function leadFrom(cluster: Cluster, node: string): Promise<void> {
  const others = cluster.nodes.map(({ name }) => name).filter((name) => name !== node);
  const remove = (...what: string[]) => cluster.kubectl(['delete', 'pod', inNamespace, ...what]);
  await cluster.kubectl(['cordon', ...others]);
  await remove(`--selector=k8s-app=${program}`);
  await calicoIsReady(cluster);
  await cluster.kubectl(['uncordon', ...others]);
  await cluster.kubectl(['cordon', node]);
  const pods = await eventually('one of the two leads', async () => {
    const all = await read(
      cluster,
      ['pods', inNamespace, `--selector=k8s-app=${program}`],
      '{.items[*].metadata.name}',
    );
    const leader = await leaderOf(cluster);
    const names = all.split(' ');
    return names.includes(leader) && names.length === 2 && names.filter((name) => name !== leader);
  });
  await remove(...pods);
  await calicoIsReady(cluster);
  await cluster.kubectl(['uncordon', node]);
}

async function configure(cluster: Cluster, node: object): Promise<void> {
  const patch = JSON.stringify({ spec: { controllers: { node } } });
  await cluster.kubectl([
    'patch',
    'kubecontrollersconfiguration',
    'default',
    '--type=merge',
    `--patch=${patch}`,
  ]);
}
