// Services through kube-proxy's rules, beside ours: they reach their pods, who see whom kube-proxy lets them see, and policy
// speaks of the pod that is reached and the port that it has, not of the service's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type InetSocket, pollReadable, type SocketAddress } from '../../src/kernel/index.ts';
import type { KubernetesNetworkPolicy } from '../../src/resources/index.ts';
import { iptablesRules, nftablesRules, type ProxiedService, type ProxyRules } from './kube-proxy-rules.ts';
import { addressOf, type Family, families, PathNode, type Place } from './path-node.ts';

type Spec = NonNullable<KubernetesNetworkPolicy['spec']>;
type Peers = NonNullable<NonNullable<Spec['ingress']>[number]['from']>;

const clusterIp: Readonly<Record<Family, string>> = { 4: '10.96.0.10', 6: 'fd96::10' };
const [port, backendPort] = [80, 8080];
const nodePorts = { Cluster: 30080, Local: 30081 } as const;
const protocols = ['udp', 'tcp'] as const;

interface Way {
  readonly family: Family;
  readonly protocol: (typeof protocols)[number];
}

const ways: readonly Way[] = families.flatMap((family) =>
  protocols.map((protocol) => ({ family, protocol })),
);

type TrafficPolicy = keyof typeof nodePorts;
const trafficPolicies: readonly TrafficPolicy[] = ['Cluster', 'Local'];

/** Of both protocols, and each once more with a port of the node that keeps its callers' addresses. */
const rulesOf = (family: Family): ProxyRules => ({
  family,
  nodeIp: addressOf.node[family],
  clusterCidr: family === 4 ? '10.1.0.0/24' : 'fd00:1::/64',
  services: protocols.flatMap((protocol) =>
    trafficPolicies.map(
      (externalTrafficPolicy, index): ProxiedService => ({
        name: `${protocol}-${externalTrafficPolicy}`.toUpperCase(),
        protocol,
        clusterIp: clusterIp[family],
        port: port + index,
        nodePort: nodePorts[externalTrafficPolicy],
        externalTrafficPolicy,
        endpoint: { address: addressOf.b[family], port: backendPort },
      }),
    ),
  ),
});

for (const form of ['iptables', 'nftables'] as const) {
  describe(`a service by kube-proxy's ${form} rules`, () => {
    let node: PathNode;
    before(async () => {
      node = await PathNode.make(`svc-${form}`);
      // As a cluster that translates what leaves it and keeps loops of its services' range apart.
      node.setPools({ cidr: '10.1.0.0/24', natOutgoing: true }, { cidr: 'fd00:1::/64', natOutgoing: true });
      node.calculator.setBgpConfiguration({
        apiVersion: 'projectcalico.org/v3',
        kind: 'BGPConfiguration',
        metadata: { name: 'default' },
        spec: { serviceClusterIPs: [{ cidr: '10.96.0.0/16' }, { cidr: 'fd96::/64' }] },
      });
      node.apply();
      // As where the range is advertised; that of the other family lies in what leads to the node already.
      node.run('outside', 'ip', '-6', 'route', 'add', 'fd96::/64', 'via', addressOf.node[6]);
      for (const family of families) {
        if (form === 'nftables') node.nft('node', nftablesRules(rulesOf(family)));
        else restore(node, family, iptablesRules(rulesOf(family)));
      }
    });
    after(() => node?.remove());

    /**
     * Asks and is answered, at most so long after. Returns whom the pod sees; undefined when it was not asked.
     * @throws when the answer gets lost
     */
    const ask = (from: Place, { family, protocol }: Way, target: SocketAddress, waitMs: number) => {
      const type = protocol === 'udp' ? 'datagram' : 'stream';
      using server = node.socket('b', { family, type });
      using client = node.socket(from, { family, type });
      server.bind({ address: addressOf.b[family], port: backendPort });
      if (protocol === 'udp') {
        client.connect(target);
        client.send(Buffer.from('ask'));
        if (pollReadable([server], waitMs).length === 0) return undefined;
        const asked = server.receiveFrom() ?? assert.fail('nothing is there');
        server.sendTo(Buffer.from('answer'), asked.from);
        assert.equal(received(client), 'answer');
        return asked.from.address;
      }
      server.listen();
      client.resetOnClose();
      client.connect(target);
      if (pollReadable([server], waitMs).length === 0) return undefined;
      const { socket, peer } = server.accept() ?? assert.fail('nobody is there');
      using connection = socket;
      connection.send(Buffer.from('answer'));
      assert.equal(received(client), 'answer');
      return peer.address;
    };
    const seen = (from: Place, way: Way, target: SocketAddress) =>
      ask(from, way, target, 10_000) ?? assert.fail(`${from} is lost: ${JSON.stringify([way, target])}`);
    const isLost = (from: Place, way: Way, target: SocketAddress) =>
      ask(from, way, target, 100) === undefined;

    const cluster = ({ family }: Way) => ({ address: clusterIp[family], port });
    const external = ({ family }: Way, policy: TrafficPolicy) => ({
      address: addressOf.node[family],
      port: nodePorts[policy],
    });
    const underPolicy = (spec: Spec, check: () => void) => {
      node.calculator.setKubernetesNetworkPolicy({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { namespace: 't', name: 'policy' },
        spec,
      });
      node.apply();
      try {
        check();
      } finally {
        node.calculator.deletePolicy('KubernetesNetworkPolicy', 't/policy');
        node.apply();
      }
    };
    const only = (name: string) => ({ podSelector: { matchLabels: { name } } });
    const block = (address: string) => ({
      ipBlock: { cidr: `${address}/${address.includes(':') ? 128 : 32}` },
    });
    /** Lets in whom it names, by address or by name. */
    const from = (...peers: Peers): Spec => ({ ...only('b'), ingress: [{ from: peers }] });
    const nobody: Spec = { ...only('b'), policyTypes: ['Ingress'] };

    test('reaches its pod from a pod, which is seen by its own address', () => {
      for (const way of ways) assert.equal(seen('a', way, cluster(way)), addressOf.a[way.family]);
    });

    test('reaches its pod from the node itself, whatever policy says', () => {
      underPolicy(nobody, () => {
        for (const way of ways)
          for (const target of [cluster(way), external(way, 'Cluster'), external(way, 'Local')])
            assert.notEqual(seen('node', way, target), addressOf.b[way.family]);
      });
    });

    test('reaches its pod from that pod itself, which sees the node', () => {
      for (const way of ways)
        for (const target of [cluster(way), external(way, 'Cluster'), external(way, 'Local')])
          assert.notEqual(seen('b', way, target), addressOf.b[way.family]);
    });

    test('is judged by who it is where a pod reaches itself, before it is masqueraded', () => {
      underPolicy(from(only('b')), () => {
        for (const way of ways) assert.notEqual(seen('b', way, cluster(way)), addressOf.b[way.family]);
      });
      underPolicy(from(...families.map((family) => block(addressOf.node[family]))), () => {
        for (const way of ways) assert.ok(isLost('b', way, cluster(way)));
      });
    });

    test('is let through to the port that the pod has, not to that of the service', () => {
      const to = (number: number): Spec => ({
        ...only('b'),
        ingress: [
          {
            from: [only('a')],
            ports: [
              { protocol: 'UDP', port: number },
              { protocol: 'TCP', port: number },
            ],
          },
        ],
      });
      underPolicy(to(backendPort), () => {
        for (const way of ways) assert.equal(seen('a', way, cluster(way)), addressOf.a[way.family]);
      });
      underPolicy(to(port), () => {
        for (const way of ways) assert.ok(isLost('a', way, cluster(way)));
      });
    });

    test('is let through from a sender that may send to the pod, not to the service’s address', () => {
      const to = (address: string): Spec => ({
        ...only('a'),
        policyTypes: ['Egress'],
        egress: [{ to: [block(address)] }],
      });
      for (const way of ways) {
        underPolicy(to(addressOf.b[way.family]), () =>
          assert.equal(seen('a', way, cluster(way)), addressOf.a[way.family]),
        );
        underPolicy(to(clusterIp[way.family]), () => assert.ok(isLost('a', way, cluster(way))));
      }
    });

    test('shows by the node’s port who asks from outside only where the service says so', () => {
      for (const way of ways) {
        assert.notEqual(seen('outside', way, external(way, 'Cluster')), addressOf.outside[way.family]);
        assert.equal(seen('outside', way, external(way, 'Local')), addressOf.outside[way.family]);
        assert.notEqual(seen('outside', way, cluster(way)), addressOf.outside[way.family]);
      }
    });

    test('is judged by who asked from outside, whether it is masqueraded or not', () => {
      for (const way of ways) {
        const targets = [cluster(way), ...trafficPolicies.map((policy) => external(way, policy))];
        underPolicy(from(block(addressOf.outside[way.family])), () => {
          for (const target of targets) seen('outside', way, target);
        });
        underPolicy(from(block(addressOf.node[way.family]), only('a')), () => {
          for (const target of targets) assert.ok(isLost('outside', way, target), JSON.stringify(target));
        });
      }
    });

    test('is judged by which pod asked at the node’s port, whether it is masqueraded or not', () => {
      for (const policy of trafficPolicies) {
        underPolicy(from(only('a')), () => {
          for (const way of ways) {
            const isOwn = seen('a', way, external(way, policy)) === addressOf.a[way.family];
            assert.equal(isOwn, policy === 'Local');
          }
        });
        underPolicy(from(only('b'), ...families.map((family) => block(addressOf.node[family]))), () => {
          for (const way of ways) assert.ok(isLost('a', way, external(way, policy)));
        });
      }
    });

    test('keeps a connection for as long as policy lets its client in, and no longer', () => {
      for (const family of families) {
        using server = node.socket('b', { family, type: 'stream' });
        using client = node.socket('a', { family, type: 'stream' });
        server.bind({ address: addressOf.b[family], port: backendPort });
        server.listen();
        client.resetOnClose();
        client.connect(cluster({ family, protocol: 'tcp' }));
        assert.equal(pollReadable([server], 10_000).length, 1);
        const { socket } = server.accept() ?? assert.fail('nobody is there');
        using connection = socket;
        underPolicy(from(only('a')), () => {
          client.send(Buffer.from('still there'));
          assert.equal(received(connection), 'still there');
        });
        underPolicy(nobody, () => {
          client.send(Buffer.from('not any more'));
          assert.equal(pollReadable([connection], 100).length, 0);
        });
      }
    });
  });
}

function restore(node: PathNode, family: Family, rules: string): void {
  const program = family === 4 ? 'iptables-restore' : 'ip6tables-restore';
  execFileSync('nsenter', [`--net=${node.namespacePath('node')}`, program, '--noflush'], { input: rules });
}

function received(socket: InetSocket): string | undefined {
  pollReadable([socket], 10_000);
  return socket.receive()?.toString();
}
