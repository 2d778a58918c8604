// What people write about BGP besides pools: a peer whose session has a password, and a question for a node's status.
import type { Cluster } from '../cluster.ts';
import { eventually } from '../daemon.ts';
import { apply } from '../pods.ts';
import { doctorTells } from './doctor.ts';

const api = 'projectcalico.org/v3';
/** Nobody is there: the session of it is configured, and stays down. */
const nobody = '172.30.0.250';

export async function bgpObjects(cluster: Cluster): Promise<void> {
  await apply(
    cluster,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'bgp-passwords', namespace: 'calico-system' },
      stringData: { rack: 'ours alone' },
    },
    {
      apiVersion: api,
      kind: 'BGPPeer',
      metadata: { name: 'rack' },
      spec: {
        node: 'node-1',
        peerIP: nobody,
        asNumber: 64999,
        password: { secretKeyRef: { name: 'bgp-passwords', key: 'rack' } },
      },
    },
    {
      apiVersion: api,
      kind: 'CalicoNodeStatus',
      metadata: { name: 'of-node-1' },
      spec: { node: 'node-1', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 1 },
    },
  );
  const status = () =>
    cluster.kubectl(['get', 'caliconodestatus', 'of-node-1', '--output=jsonpath={.status.bgp.peersV4}']);
  await eventually('its status tells of the peer', async () => {
    const peers = await status();
    return peers.includes(nobody) || Promise.reject(new Error(peers));
  });
  const down = new RegExp(`The BGP session with ${nobody.replaceAll('.', '\\.')} .*is `);
  const remedy = /TCP port 179 must be open both ways, and AS numbers and passwords must agree/;
  for (const [patient, check] of [
    ['the cluster', 'bgp-session-down'],
    ['node-1', 'bgp-unwell'],
  ] as const) {
    const finding = new RegExp(`^${check}: ${down.source}`);
    // After a while the node is not ready, either, for a neighbour does not know of it.
    const besides = ['agent-not-ready', 'agent-unwell'];
    await doctorTells(cluster, patient, [{ finding, where: 'node "node-1"', remedy }], { besides });
  }
  await cluster.kubectl(['delete', 'caliconodestatus/of-node-1', 'bgppeer/rack']);
  await cluster.kubectl(['delete', 'secret', 'bgp-passwords', '--namespace=calico-system']);
  await eventually('calico-node is ready again', () =>
    cluster.kubectl([
      'rollout',
      'status',
      'daemonset/calico-node',
      '--namespace=calico-system',
      '--timeout=5s',
    ]),
  );
}
