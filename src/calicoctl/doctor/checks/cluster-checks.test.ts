import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IPAMBlock, IPPool, Node, Pod } from '../../../resources/index.ts';
import type { CalicoPod, ClusterFacts } from '../cluster-facts.ts';
import { examine } from '../finding.ts';
import { addressChecks } from './addresses.ts';
import { agentChecks } from './agents.ts';
import { clusterChecks } from './all.ts';
import { bgpChecks } from './bgp.ts';
import { rangeChecks } from './ranges.ts';
import { setupChecks } from './setup.ts';

const apiVersion = 'projectcalico.org/v3';

const node = (name: string, address: string, more: Partial<Node> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, annotations: { 'projectcalico.org/IPv4Address': `${address}/24` } },
  status: { addresses: [{ type: 'InternalIP', address }] },
  ...more,
});

const pool = (name: string, cidr: string, spec: Partial<IPPool['spec']> = {}): IPPool => ({
  apiVersion,
  kind: 'IPPool',
  metadata: { name },
  spec: { cidr, ...spec },
});

const agent = (on: string, status: CalicoPod['status'] = ready): CalicoPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'calico-system', name: `calico-node-${on}`, labels: { 'k8s-app': 'calico-node' } },
  spec: { nodeName: on },
  ...(status && { status }),
});
const ready = { conditions: [{ type: 'Ready', status: 'True' as const }] };

/** Of four addresses, the first of which are in use by whom the attributes name. */
function block(cidr: string, used: number, secondary: Record<string, string> = { note: 'test' }): IPAMBlock {
  const size = 4;
  return {
    apiVersion,
    kind: 'IPAMBlock',
    metadata: { name: cidr.replaceAll(/[./]/g, '-') },
    spec: {
      cidr,
      affinity: 'host:a',
      allocations: Array.from({ length: size }, (_, index) => (index < used ? 0 : null)),
      unallocated: Array.from({ length: size - used }, (_, index) => used + index),
      attributes: [{ handle_id: 'h', secondary }],
      deleted: false,
      sequenceNumber: 1,
      strictAffinity: false,
    },
  };
}

/** A cluster in which all is well, but for what is given. */
function cluster({
  ipam,
  ...rest
}: Partial<Omit<ClusterFacts, 'ipam'>> & { ipam?: Partial<ClusterFacts['ipam']> } = {}) {
  const facts: ClusterFacts = {
    version: '1.2.3',
    information: undefined,
    reservations: [],
    nodeStatuses: [],
    calicoPods: [agent('a'), agent('b')],
    agentSettings: [],
    ranges: { services: ['10.96.0.0/12'], proxy: undefined },
    setupFailures: [],
    ...rest,
    ipam: {
      pools: [pool('p', '10.1.0.0/16')],
      blocks: [],
      affinities: [],
      handles: [],
      nodes: [node('a', '192.0.2.1'), node('b', '192.0.2.2')],
      pods: [],
      ...ipam,
    },
  };
  return facts;
}

/** "check severity where" of each finding about a cluster. */
function said(facts: ClusterFacts): string[] {
  return examine(clusterChecks, facts).map(({ check, severity, where }) => `${check} ${severity} ${where}`);
}

describe('the cluster:', () => {
  test('nothing is said of one in which all is well', () => {
    assert.deepEqual(said(cluster()), []);
  });

  test('a node without an agent, and an agent that is not ready with its reasons', () => {
    const crashed: CalicoPod['status'] = {
      conditions: [
        { type: 'Ready', status: 'False', message: 'containers with unready status: [calico-node]' },
      ],
      containerStatuses: [
        {
          name: 'calico-node',
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
          lastState: { terminated: { reason: 'Error', exitCode: 1 } },
        },
      ],
    };
    const facts = cluster({ calicoPods: [agent('a', crashed)] });
    assert.deepEqual(said(facts), [
      'agent-missing error node "b"',
      'agent-not-ready error pod calico-system/calico-node-a on node "a"',
    ]);
    const [, unready] = examine(agentChecks, facts);
    assert.equal(
      unready?.why,
      'container "calico-node": CrashLoopBackOff: back-off 40s; container "calico-node": it ended 4 times, last with Error 1; containers with unready status: [calico-node]',
    );
  });

  test('no agent on any node, unless nodes say that Calico is up there; one that has ended and was replaced; Windows', () => {
    assert.deepEqual(said(cluster({ calicoPods: [] })), [
      'agent-missing error node "a"',
      'agent-missing error node "b"',
    ]);
    const up = {
      conditions: [{ type: 'NetworkUnavailable', status: 'False' as const, reason: 'CalicoIsUp' }],
    };
    const nodes = [node('a', '192.0.2.1', { status: up })];
    assert.deepEqual(said(cluster({ calicoPods: [], ipam: { nodes } })), []);
    const evicted = { phase: 'Failed' as const, conditions: [{ type: 'Ready', status: 'False' as const }] };
    assert.deepEqual(said(cluster({ calicoPods: [agent('a'), agent('a', evicted), agent('b')] })), []);
    const windows = node('w', '192.0.2.9');
    const metadata = { ...windows.metadata, labels: { 'kubernetes.io/os': 'windows' } };
    assert.deepEqual(
      said(
        cluster({
          calicoPods: [agent('a')],
          ipam: { nodes: [nodes[0] ?? windows, { ...windows, metadata }] },
        }),
      ),
      [],
    );
  });

  test('two DaemonSets on a node, and a datastore that is said not to be ready', () => {
    const other = agent('a');
    const facts = cluster({
      calicoPods: [
        agent('a'),
        agent('b'),
        { ...other, metadata: { ...other.metadata, namespace: 'kube-system' } },
      ],
      information: {
        apiVersion,
        kind: 'ClusterInformation',
        metadata: { name: 'default' },
        spec: { datastoreReady: false },
      },
    });
    assert.deepEqual(said(facts), [
      'two-agents error node "a"',
      'datastore-not-ready error ClusterInformation "default"',
    ]);
  });

  test('a node whose network is not available', () => {
    const conditions = [{ type: 'NetworkUnavailable', status: 'True' as const, message: 'no route' }];
    const facts = cluster({
      ipam: { nodes: [node('a', '192.0.2.1', { status: { conditions } }), node('b', '192.0.2.2')] },
    });
    assert.deepEqual(said(facts), ['network-unavailable error node "a"']);
  });

  test('programs of several versions', () => {
    const images = {
      ...ready,
      containerStatuses: [{ name: 'calico-node', image: 'example.com/node:v1.2.2' }],
    };
    const facts = cluster({ calicoPods: [agent('a', images), agent('b')] });
    assert.deepEqual(said(facts), ['versions-differ warning the cluster']);
    assert.match(examine(agentChecks, facts)[0]?.why ?? '', /1\.2\.3: this calicoctl; 1\.2\.2: pod .*-a/);
  });

  test("versions are those of Calico's own containers, and not of what others put beside them", () => {
    const statuses = {
      ...ready,
      initContainerStatuses: [
        { name: 'install-cni', image: 'example.com/calico:v1.2.3' },
        { name: 'linkerd-init', image: 'example.com/proxy-init:v2.4.0' },
      ],
      containerStatuses: [
        { name: 'calico-node', image: 'example.com/calico:v1.2.3' },
        { name: 'linkerd-proxy', image: 'linkerd/proxy:2.14.1' },
      ],
    };
    assert.deepEqual(said(cluster({ calicoPods: [agent('a', statuses), agent('b')] })), []);
    const older = [{ name: 'install-cni', image: 'example.com/calico:v1.2.2' }];
    const differing = { ...statuses, initContainerStatuses: older };
    assert.deepEqual(said(cluster({ calicoPods: [agent('a', differing), agent('b')] })), [
      'versions-differ warning the cluster',
    ]);
  });

  test('no pool, a full pool, one that is nearly full, and overlapping ones', () => {
    assert.deepEqual(said(cluster({ ipam: { pools: [] } })), ['no-pool error the cluster']);
    const going = pool('going', '10.1.0.0/16');
    going.metadata.deletionTimestamp = '2026-01-31T12:00:00Z';
    assert.deepEqual(said(cluster({ ipam: { pools: [going] } })), ['no-pool error the cluster']);
    const facts = cluster({
      ipam: {
        pools: [pool('full', '10.2.0.0/30'), pool('wide', '10.0.0.0/14'), pool('narrow', '10.1.0.0/16')],
        blocks: [block('10.2.0.0/30', 4)],
      },
    });
    assert.deepEqual(said(facts), [
      'pool-exhausted error pool "full" (10.2.0.0/30)',
      'pools-overlap error pool "wide"',
    ]);
  });

  test('pools that give no addresses any more overlap with nobody', () => {
    const going = pool('whole', '10.1.0.0/16');
    going.metadata.deletionTimestamp = '2026-01-31T12:00:00Z';
    const parts = [pool('split-whole-0', '10.1.0.0/17'), pool('split-whole-1', '10.1.128.0/17')];
    assert.deepEqual(said(cluster({ ipam: { pools: [going, ...parts] } })), []);
    const old = pool('old', '10.1.0.0/16', { disabled: true });
    const full = { pools: [old, pool('new', '10.1.0.0/16', { blockSize: 28 })] };
    assert.deepEqual(said(cluster({ ipam: full })), []);
    // People name the nodes' range in a disabled pool, so that nobody is masqueraded on the way there.
    const ofNodes = pool('nodes', '192.0.2.0/24', { disabled: true });
    assert.deepEqual(said(cluster({ ipam: { pools: [ofNodes, pool('p', '10.1.0.0/16')] } })), []);
  });

  test('of two pools that overlap, the one is named that gives no addresses', () => {
    const made = (name: string, day: string, isAllocatable?: boolean): IPPool => {
      const status = isAllocatable ? ('True' as const) : ('False' as const);
      const condition = { type: 'Allocatable', status, reason: '', message: '', lastTransitionTime: '' };
      const one = pool(name, '10.1.0.0/16');
      return {
        ...one,
        metadata: { ...one.metadata, creationTimestamp: `2026-01-${day}T12:00:00Z` },
        ...(isAllocatable !== undefined && { status: { conditions: [condition] } }),
      };
    };
    const whichIs = (...pools: IPPool[]) =>
      examine(addressChecks, cluster({ ipam: { pools } })).map(({ where, why }) => `${where}: ${why}`);
    assert.deepEqual(whichIs(made('a', '31'), made('b', '30')), [
      'pool "a": Only "b", which was first, gives addresses',
    ]);
    // Another that was restored with an older date does not take the range of one that gives addresses.
    assert.deepEqual(whichIs(made('a', '31', true), made('b', '30', false)), [
      'pool "b": Only "a", which was first, gives addresses',
    ]);
  });

  test("a node's address within a pool that an IPReservation keeps is nobody else's", () => {
    const nodes = [node('a', '10.1.0.1'), node('b', '10.1.0.2')];
    const keep = (...reservedCIDRs: string[]) => [
      { apiVersion, kind: 'IPReservation', metadata: { name: 'nodes' }, spec: { reservedCIDRs } },
    ];
    assert.deepEqual(said(cluster({ ipam: { nodes }, reservations: keep('10.1.0.0/24') })), []);
    assert.deepEqual(said(cluster({ ipam: { nodes }, reservations: keep('10.1.0.1/32') })), [
      'pools-overlap error node "b"',
    ]);
  });

  test('a full pool is told of with those who wait for its addresses, unless it gives none any more', () => {
    const full = (spec: Partial<IPPool['spec']>) => {
      const pools = [pool('full', '10.2.0.0/30', spec), pool('p', '10.1.0.0/16')];
      const facts = cluster({ ipam: { pools, blocks: [block('10.2.0.0/30', 4)] } });
      return examine(addressChecks, facts).map(({ severity, why }) => `${severity}: ${why}`);
    };
    const count = '4 of 4 are in use and 0 reserved';
    assert.deepEqual(full({}), [`error: ${count}; pods that find none wait`]);
    assert.deepEqual(full({ allowedUses: ['LoadBalancer'] }), [
      `warning: ${count}; services of type LoadBalancer that find none wait`,
    ]);
    assert.deepEqual(full({ allowedUses: ['Tunnel'] }), [
      `error: ${count}; nodes that find none have no tunnel`,
    ]);
    assert.deepEqual(full({ disabled: true }), []);
  });

  test('no pool is needed where another plugin gives the addresses, and is missed where Calico does', () => {
    const conflist = (ipam: string) =>
      JSON.stringify({ plugins: [{ type: 'calico', mtu: 0, ipam: { type: ipam } }, { type: 'portmap' }] });
    const asWritten = conflist('host-local').replace('"mtu":0', '"mtu": __CNI_MTU__');
    const told = (...agentSettings: ClusterFacts['agentSettings']) =>
      said(cluster({ ipam: { pools: [] }, agentSettings }));
    const noPool = ['no-pool error the cluster'];
    assert.deepEqual(told({ CNI_NETWORK_CONFIG: asWritten }), []);
    assert.deepEqual(told({ NO_DEFAULT_POOLS: 'true' }), []);
    assert.deepEqual(told({ CALICO_NETWORKING_BACKEND: 'none' }), []);
    assert.deepEqual(told({ CALICO_NETWORKING_BACKEND: 'vxlan' }), noPool);
    // Pools that people make themselves, and have not made yet.
    assert.deepEqual(told({ NO_DEFAULT_POOLS: 'true', CNI_NETWORK_CONFIG: conflist('calico-ipam') }), noPool);
    assert.deepEqual(told({ NO_DEFAULT_POOLS: 'true' }, { CALICO_NETWORKING_BACKEND: 'bird' }), noPool);
  });

  test('addresses that belong to nobody, and one that two pods have', () => {
    const user = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name },
      spec: { nodeName: 'a', containers: [] },
      status: { phase: 'Running' as const, podIP: '10.1.0.8', podIPs: [{ ip: '10.1.0.8' }] },
    });
    const gone = { namespace: 'shop', pod: 'gone', node: 'a' };
    const facts = cluster({
      ipam: {
        blocks: [block('10.1.0.0/30', 2, gone), block('10.1.0.8/30', 1, { ...gone, pod: 'one' })],
        pods: [user('one'), user('two')],
      },
    });
    const told = examine(addressChecks, facts).map(({ check, severity, what }) => [check, severity, what]);
    assert.deepEqual(told, [
      ['addresses-leak', 'warning', '2 addresses and 0 blocks belong to nobody'],
      ['addresses-leak', 'error', '10.1.0.8 is used by pod shop/one and pod shop/two'],
    ]);
    // What was well a moment ago is on its way.
    assert.deepEqual(examine(addressChecks, { ...facts, earlierIpam: cluster().ipam }), []);
  });

  test('two nodes under one address, one under a strange one, and one within a pool', () => {
    const facts = cluster({
      ipam: {
        nodes: [
          node('a', '172.17.0.1', { status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } }),
          node('b', '172.17.0.1'),
          node('c', '10.1.2.3'),
        ],
      },
      calicoPods: [agent('a'), agent('b'), agent('c')],
    });
    assert.deepEqual(said(facts), [
      'pools-overlap error node "c"',
      'node-address error node "b"',
      'node-address warning node "a"',
    ]);
  });

  const podCidrs = (...cidrs: string[]) =>
    ['a', 'b'].map((name, index) =>
      node(name, `192.0.2.${index + 1}`, {
        spec: { podCIDRs: cidrs.map((cidr) => cidr.replace('N', `${index}`)) },
      }),
    );

  test('a pool in which no node has a part, though nodes have parts of some range', () => {
    const nodes = podCidrs('10.42.N.0/24', 'fd00:N::/64');
    const pools = [pool('default', '192.168.0.0/16')];
    assert.deepEqual(said(cluster({ ipam: { nodes, pools } })), [
      'pool-outside-cluster warning pool "default"',
    ]);
    const [found] = examine(rangeChecks, cluster({ ipam: { nodes, pools } }));
    assert.match(found?.why ?? '', /^Nodes have 10\.42\.0\.0\/24, /);
    const well = (...pools: IPPool[]) => assert.deepEqual(said(cluster({ ipam: { nodes, pools } })), []);
    well(pool('whole', '10.42.0.0/16'), pool('six', 'fd00::/16'));
    well(pool('part', '10.42.1.0/25'));
    const other = '192.168.0.0/16';
    const inUse = pool('p', '10.42.0.0/16');
    well(inUse, pool('old', other, { disabled: true }));
    well(inUse, pool('tunnels', other, { allowedUses: ['Tunnel'] }));
    // A node that has none tells nothing, and where another plugin gives addresses there is nothing to ask.
    assert.deepEqual(said(cluster({ ipam: { pools } })), []);
    const agentSettings = [{ NO_DEFAULT_POOLS: 'true' }];
    assert.deepEqual(said(cluster({ ipam: { nodes, pools }, agentSettings })), []);
  });

  test("what kube-proxy's own configuration says of the range of pods goes before what nodes have", () => {
    const nodes = podCidrs('10.42.N.0/24');
    const told = (proxy: readonly string[], cidr: string) =>
      said(cluster({ ipam: { nodes, pools: [pool('p', cidr)] }, ranges: { services: [], proxy } }));
    const finding = ['pool-outside-cluster warning pool "p"'];
    assert.deepEqual(told(['10.42.0.0/16'], '10.42.128.0/17'), []);
    assert.deepEqual(told(['10.42.0.0/16'], '10.40.0.0/14'), finding);
    assert.deepEqual(told(['fd00::/48', '10.42.0.0/16'], '192.168.0.0/16'), finding);
    // It knows pods by their links.
    assert.deepEqual(told([], '192.168.0.0/16'), []);
  });

  test('a pool over the range of Services', () => {
    const told = (services: readonly string[], spec: Partial<IPPool['spec']> = {}) =>
      said(
        cluster({
          ipam: { pools: [pool('p', '10.1.0.0/16'), pool('q', '10.96.0.0/16', spec)] },
          ranges: { services, proxy: undefined },
        }),
      );
    const finding = ['pool-over-services error pool "q"'];
    assert.deepEqual(told(['fd00::/108', '10.96.0.0/12']), finding);
    assert.deepEqual(told(['10.96.0.1/32'], { allowedUses: ['LoadBalancer'] }), finding);
    assert.deepEqual(told(['10.112.0.0/12']), []);
    assert.deepEqual(told(['10.96.0.0/12'], { disabled: true }), []);
  });

  /** As kubelet says it of a node. */
  const notReady = (message: string) => ({
    conditions: [{ type: 'Ready', status: 'False' as const, reason: 'KubeletNotReady', message }],
  });
  const uninitialized =
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';

  test('a container runtime that finds no network where calico-node is ready, and where it writes and should', () => {
    const nodes = (message: string) => [
      node('a', '192.0.2.1', { status: notReady(message) }),
      node('b', '192.0.2.2'),
    ];
    const facts = cluster({ ipam: { nodes: nodes(uninitialized) } });
    assert.deepEqual(said(facts), ['network-not-found error node "a"']);
    const remedyOf = (facts: ClusterFacts) => examine(setupChecks, facts)[0]?.remedy ?? '';
    assert.match(
      remedyOf(facts),
      /writes its own into \/etc\/cni\/net\.d: .*cni\.configurationFolder=FOLDER /,
    );
    const crio = uninitialized.replace(
      'Network plugin returns error: cni plugin not initialized',
      'No CNI configuration file in /etc/kubernetes/cni/net.d/. Has your network provider started?',
    );
    const elsewhere = cluster({
      ipam: { nodes: nodes(crio) },
      agentSettings: [{ CNI_HOST_NET_DIR: '/var/net.d' }],
    });
    assert.match(
      remedyOf(elsewhere),
      /in \/etc\/kubernetes\/cni\/net\.d, .* into \/var\/net\.d: .*cni\.configurationFolder=\/etc\/kubernetes\/cni\/net\.d /,
    );
    // Without calico-node there is no network to be found, and what else keeps a node is not the network.
    const calicoPods = [agent('a', { conditions: [{ type: 'Ready', status: 'False' }] }), agent('b')];
    const waiting = said(cluster({ ipam: { nodes: nodes(uninitialized) }, calicoPods }));
    assert.deepEqual(waiting, ['agent-not-ready error pod calico-system/calico-node-a on node "a"']);
    assert.deepEqual(said(cluster({ ipam: { nodes: nodes('PLEG is not healthy') } })), []);
  });

  describe('pods that get no network:', () => {
    const pod = (name: string, status: Pod['status'] = { phase: 'Pending' }): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name, uid: `uid-${name}` },
      spec: { nodeName: 'a', containers: [] },
      ...(status && { status }),
    });
    const failure = (name: string, reason: string, minute = 10) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: `${name}.${minute}` },
      involvedObject: { kind: 'Pod', namespace: 'shop', name, uid: `uid-${name}` },
      reason: 'FailedCreatePodSandBox',
      message: `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "0${minute}ab": ${reason}`,
      lastTimestamp: `2026-01-31T12:${minute}:00Z`,
    });
    const notThere = (plugin: string, folder = '/usr/lib/cni') =>
      `plugin type="calico" failed (add): failed to find plugin "${plugin}" in path [${folder}]`;
    const found = (
      setupFailures: ClusterFacts['setupFailures'],
      more: Partial<ClusterFacts> = {},
      pods = [pod('one'), pod('two')],
    ) => examine(clusterChecks, cluster({ ...more, ipam: { pods }, setupFailures }));

    test('the folder is named in which the runtime looks for the plugin, once for all of its pods, and that in which it is', () => {
      const [finding, ...others] = found([
        failure('one', notThere('calico')),
        failure('two', notThere('calico'), 11),
      ]);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [finding?.check, finding?.severity, finding?.where],
        ['pod-setup-fails', 'error', 'node "a", pods shop/one, shop/two'],
      );
      assert.match(
        finding?.what ?? '',
        /looks for Calico's CNI plugin in \/usr\/lib\/cni, and does not find/,
      );
      assert.equal(finding?.why, 'failed to find plugin "calico" in path [/usr/lib/cni]');
      assert.match(
        finding?.remedy ?? '',
        /^It was installed in \/opt\/cni\/bin: .*cni\.binFolder=\/usr\/lib\/cni /,
      );
      const [gone] = found([failure('one', notThere('calico'))], {
        agentSettings: [{ CNI_HOST_BIN_DIR: '/usr/lib/cni' }],
      });
      assert.match(gone?.remedy ?? '', /^It was installed there and is gone; .*spec\.nodeName=a$/);
    });

    test('a plugin of others is to be put where the runtime looks', () => {
      const [finding] = found([failure('one', notThere('portmap', '/opt/cni/bin/'))]);
      assert.match(finding?.what ?? '', /the CNI plugin "portmap" in \/opt\/cni\/bin, and does not find/);
      assert.match(finding?.remedy ?? '', /^Put it there: .*containernetworking-plugins/);
    });

    test('of a pod the last failure counts; what is not known is told as the runtime told it', () => {
      const [finding, ...others] = found([
        failure('one', 'plugin type="calico" failed (add): no address is left', 12),
        failure('one', notThere('calico'), 11),
      ]);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [finding?.severity, finding?.why],
        ['warning', 'plugin type="calico" failed (add): no address is left'],
      );
    });

    test('nothing is said of pods that are gone, were made again, end or have an address by now', () => {
      const ending = pod('one');
      ending.metadata.deletionTimestamp = '2026-01-31T12:00:00Z';
      const again = pod('one');
      again.metadata.uid = 'another';
      const started = pod('one', { phase: 'Running', podIP: '10.1.0.8', podIPs: [{ ip: '10.1.0.8' }] });
      for (const now of [ending, again, started, pod('three')]) {
        const told = found([failure('one', notThere('calico'))], {}, [now]);
        assert.deepEqual(
          told.filter(({ check }) => check === 'pod-setup-fails'),
          [],
        );
      }
    });
  });

  test('a BGP session that is not established', () => {
    const facts = cluster({
      nodeStatuses: [
        {
          apiVersion,
          kind: 'CalicoNodeStatus',
          metadata: { name: 's' },
          spec: { node: 'a' },
          status: {
            bgp: {
              numberEstablishedV4: 1,
              numberNotEstablishedV4: 1,
              numberEstablishedV6: 0,
              numberNotEstablishedV6: 0,
              peersV4: [
                { peerIP: '192.0.2.2', type: 'NodeMesh', state: 'Established' },
                { peerIP: '192.0.2.9', type: 'GlobalPeer', state: 'Active' },
              ],
            },
          },
        },
      ],
    });
    assert.deepEqual(said(facts), ['bgp-session-down error node "a"']);
    assert.match(examine(bgpChecks, facts)[0]?.what ?? '', /192\.0\.2\.9 \(GlobalPeer\) is Active/);
  });
});
