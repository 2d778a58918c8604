// Services through kube-proxy's rules, beside ours: they reach their pods, who see whom kube-proxy lets them see, and policy
// speaks of the pod that is reached and the port that it has, not of the service's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type InetSocket, pollReadable } from '../../src/kernel/index.ts';
import type { KubernetesNetworkPolicy } from '../../src/resources/index.ts';
import { iptablesRules, nftablesRules, type ServiceRules } from './kube-proxy-rules.ts';
import { addressOf, type Family, families, PathNode, type Place } from './path-node.ts';

type Spec = NonNullable<KubernetesNetworkPolicy['spec']>;

const clusterIp: Readonly<Record<Family, string>> = { 4: '10.96.0.10', 6: 'fd96::10' };
const [port, nodePort, backendPort] = [80, 30080, 8080];

const serviceOf = (family: Family): ServiceRules => ({
  family,
  clusterIp: clusterIp[family],
  nodeIp: addressOf.node[family],
  protocol: 'udp',
  port,
  nodePort,
  clusterCidr: family === 4 ? '10.1.0.0/24' : 'fd00:1::/64',
  endpoint: { address: addressOf.b[family], port: backendPort },
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
      for (const family of families) {
        const service = serviceOf(family);
        if (form === 'nftables') node.nft('node', nftablesRules(service));
        else restore(node, family, iptablesRules(service));
      }
    });
    after(() => node?.remove());

    /** Asks and is answered. Returns whom the pod sees; undefined when it was not asked. @throws when the answer gets lost */
    const ask = (from: Place, family: Family, target: { address: string; port: number }) => {
      using server = node.socket('b', { family, type: 'datagram' });
      using client = node.socket(from, { family, type: 'datagram' });
      server.bind({ address: addressOf.b[family], port: backendPort });
      client.connect(target);
      client.send(Buffer.from('ask'));
      if (pollReadable([server], 100).length === 0) return undefined;
      const asked = server.receiveFrom() ?? assert.fail('nothing is there');
      server.sendTo(Buffer.from('answer'), asked.from);
      assert.equal(received(client), 'answer');
      return asked.from.address;
    };
    const cluster = (family: Family) => ({ address: clusterIp[family], port });
    const external = (family: Family) => ({ address: addressOf.node[family], port: nodePort });
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

    test('reaches its pod from a pod, which is seen by its own address', () => {
      for (const family of families) assert.equal(ask('a', family, cluster(family)), addressOf.a[family]);
    });

    test('reaches its pod from the node itself, whatever policy says', () => {
      underPolicy({ ...only('b'), policyTypes: ['Ingress'] }, () => {
        for (const family of families) assert.ok(ask('node', family, cluster(family)));
      });
    });

    test('reaches its pod from that pod itself, which sees the node', () => {
      for (const family of families) assert.notEqual(ask('b', family, cluster(family)), addressOf.b[family]);
    });

    test('reaches its pod by the node’s port from outside, which is masqueraded', () => {
      for (const family of families) {
        const seen = ask('outside', family, external(family));
        assert.ok(seen && seen !== addressOf.outside[family], String(seen));
      }
    });

    test('is let through to the port that the pod has, not to that of the service', () => {
      const to = (number: number): Spec => ({
        ...only('b'),
        ingress: [{ from: [only('a')], ports: [{ protocol: 'UDP', port: number }] }],
      });
      underPolicy(to(backendPort), () => {
        for (const family of families) assert.equal(ask('a', family, cluster(family)), addressOf.a[family]);
      });
      underPolicy(to(port), () => {
        for (const family of families) assert.equal(ask('a', family, cluster(family)), undefined);
      });
    });

    test('is let through from a sender that may send to the pod, not to the service’s address', () => {
      const to = (family: Family, address: string): Spec => ({
        ...only('a'),
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: `${address}/${family === 4 ? 32 : 128}` } }] }],
      });
      for (const family of families) {
        underPolicy(to(family, addressOf.b[family]), () =>
          assert.equal(ask('a', family, cluster(family)), addressOf.a[family]),
        );
        underPolicy(to(family, clusterIp[family]), () =>
          assert.equal(ask('a', family, cluster(family)), undefined),
        );
      }
    });

    test('is judged by who asked from outside, before it is masqueraded', () => {
      const from = (family: Family, address: string): Spec => ({
        ...only('b'),
        ingress: [{ from: [{ ipBlock: { cidr: `${address}/${family === 4 ? 32 : 128}` } }] }],
      });
      for (const family of families) {
        underPolicy(from(family, addressOf.outside[family]), () =>
          assert.ok(ask('outside', family, external(family))),
        );
        underPolicy(from(family, addressOf.node[family]), () =>
          assert.equal(ask('outside', family, external(family)), undefined),
        );
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
