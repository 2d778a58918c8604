// Host endpoints in the real kernel: what a node receives, sends and forwards, by every kind of policy about them. Everything is
// tried with TCP, UDP, ICMP and SCTP, over IPv4 and IPv6, between everybody who has a way to each other.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultFailsafePorts, defaultPath } from '../../src/dataplane/index.ts';
import { closeNamespace, InetSocket, openNamespace, pollReadable } from '../../src/kernel/index.ts';
import { parseCidr } from '../../src/net/index.ts';
import type { Cluster } from '../../src/policy/index.ts';
import type { GlobalNetworkPolicy, HostEndpoint } from '../../src/resources/index.ts';
import type { Flow } from './flows.ts';
import {
  addressOf,
  allow,
  deny,
  type Family,
  families,
  globalPolicy,
  HostLab,
  hostEndpoint,
  type Place,
} from './host-lab.ts';
import { overtakenOrNot } from './kernel-cluster.ts';

interface Ends {
  readonly from: Place;
  readonly to: Place;
  readonly transport: Flow['transport'];
}

const endsOf = ({ name, transport }: Flow): Ends => {
  const [from, , to] = name.split(' ');
  return { from: from as Place, to: to as Place, transport };
};

/** Between node-1 itself and somebody else than its own pod. */
const isOfHost = ({ from, to }: Ends) =>
  (from === 'node-1' && to !== 'pod-1') || (to === 'node-1' && from !== 'pod-1');
/** By node-1's second interface, behind which there is nobody else. */
const isBehind = ({ from, to }: Ends) => from === 'behind' || to === 'behind';
/** What node-1 passes on from one of its own interfaces to another, or between one and its pod. */
const isForwarded = ({ from, to }: Ends) =>
  from !== 'node-1' &&
  to !== 'node-1' &&
  (isBehind({ from, to, transport: 'tcp' }) || from === 'pod-1' || to === 'pod-1');

const all = (spec: Partial<HostEndpoint['spec']> = {}) =>
  hostEndpoint('all', { interfaceName: '*', ...spec });
/** Of a service, which node-1 itself translates. */
const service: Readonly<Record<Family, string>> = { 4: '10.96.0.1', 6: 'fd96::1' };
const open = ['projectcalico-default-allow'];
const bothWays: { types: ('Ingress' | 'Egress')[] } = { types: ['Ingress', 'Egress'] };
const forward = { applyOnForward: true };

type Policies = Record<string, Partial<GlobalNetworkPolicy['spec']>>;

/** What there is, and of which flows it says that they get through. */
const cases: readonly (readonly [string, HostEndpoint[], Policies, (ends: Ends) => boolean])[] = [
  ['nobody is kept from anything where there is none', [], {}, () => true],
  [
    'one for all interfaces without policy closes the node and nothing else',
    [all()],
    {},
    (e) => !isOfHost(e),
  ],
  ['the profile that allows opens it', [all({ profiles: open })], {}, () => true],
  ['a namespace’s profile opens it', [all({ profiles: ['kns.red'] })], {}, () => true],
  ['one of another node closes nothing here', [all({ node: 'node-9' })], {}, () => true],
  [
    'one with a name closes the node by that interface alone',
    [hostEndpoint('one', { interfaceName: 'eth1' })],
    {},
    (e) => !(isOfHost(e) && isBehind(e)),
  ],
  [
    'one with an expected address closes the interface that has it',
    [hostEndpoint('one', { expectedIPs: ['fd09::1'] })],
    {},
    (e) => !(isOfHost(e) && isBehind(e)),
  ],
  [
    'an interface of its own endpoint has no part in that of all interfaces',
    [all(), hostEndpoint('one', { interfaceName: 'eth1', profiles: open })],
    {},
    (e) => !isOfHost(e) || isBehind(e),
  ],
  [
    'ingress rules say who may open connections to the node, and answers go back',
    [all()],
    {
      p: {
        ingress: [allow({ protocol: 'TCP' }), allow({ protocol: 'ICMP' }), allow({ protocol: 'ICMPv6' })],
      },
    },
    (e) => !isOfHost(e) || (e.to === 'node-1' && (e.transport === 'tcp' || e.transport === 'icmp')),
  ],
  [
    'egress rules say whom the node may open connections to',
    [all()],
    { p: { types: ['Egress'], egress: [allow({ notProtocol: 'TCP' })] } },
    (e) => !isOfHost(e) || (e.from === 'node-1' && e.transport !== 'tcp'),
  ],
  [
    'a policy without applyOnForward says nothing about what is forwarded',
    [all({ profiles: open })],
    { p: { ...bothWays } },
    (e) => !isOfHost(e),
  ],
  [
    'one with it judges what comes in by a named interface and goes on, and what the node itself receives',
    [hostEndpoint('one', { interfaceName: 'eth1', profiles: open })],
    { p: { ...forward, ingress: [allow({ protocol: 'UDP' })] } },
    (e) => e.from !== 'behind' || e.transport === 'udp',
  ],
  [
    'one with it judges what goes out by a named interface',
    [hostEndpoint('one', { interfaceName: 'eth1', profiles: open })],
    { p: { ...forward, types: ['Egress'], egress: [allow({ protocol: 'SCTP' })] } },
    (e) => e.to !== 'behind' || e.transport === 'sctp',
  ],
  [
    'one with it means by a named port that of whoever is reached, pod or host endpoint',
    [
      hostEndpoint('one', { interfaceName: 'eth1', profiles: open }),
      hostEndpoint(
        'zero',
        {
          interfaceName: 'eth0',
          profiles: open,
          expectedIPs: Object.values(addressOf['node-1']),
          ports: [{ name: 'web', protocol: 'UDP', port: 80 }],
        },
        {},
      ),
    ],
    {
      p: {
        ...forward,
        ingress: ['TCP', 'UDP', 'SCTP'].map((protocol) =>
          allow({ protocol, destination: { ports: ['web'] } }),
        ),
      },
    },
    ({ from, to, transport }) => {
      if (from !== 'behind') return true;
      return to === 'node-1' ? transport === 'udp' : to === 'pod-1' && /tcp|sctp/.test(transport);
    },
  ],
  [
    'before translation a named port is that of whoever the packet was sent to',
    [hostEndpoint('one', { interfaceName: 'eth1', profiles: open })],
    {
      p: {
        ...forward,
        preDNAT: true,
        ingress: [deny({ protocol: 'TCP', destination: { ports: ['web'] } })],
      },
    },
    ({ from, to, transport }) => !(from === 'behind' && to === 'pod-1' && transport === 'tcp'),
  ],
  [
    'of all interfaces it judges what is passed on by all of them',
    [all()],
    {
      p: {
        ...forward,
        ...bothWays,
        ingress: [allow({ protocol: 'TCP' })],
        egress: [allow({ protocol: 'TCP' })],
      },
    },
    (e) => !(isOfHost(e) || isForwarded(e)) || e.transport === 'tcp',
  ],
  [
    'what a pod sends and is passed on has come in by one of all interfaces',
    [all({ profiles: open })],
    { p: { ...forward, ingress: [] } },
    (e) => !((isOfHost(e) || isForwarded(e)) && e.from !== 'node-1'),
  ],
  [
    'tiers are asked in order, and passing goes on to the profile',
    [all({ profiles: open })],
    {
      p: {
        ...bothWays,
        ingress: [deny({ protocol: 'UDP' }), { action: 'Pass' }],
        egress: [{ action: 'Pass' }],
      },
    },
    (e) => !(isOfHost(e) && e.to === 'node-1' && e.transport === 'udp'),
  ],
  [
    'before translation a denial meets what is received and what is forwarded, and no answers',
    [all({ profiles: open })],
    { p: { ...forward, preDNAT: true, ingress: [deny({ protocol: 'TCP' })] } },
    (e) =>
      e.transport !== 'tcp' || e.from === 'node-1' || !(isOfHost(e) || isForwarded(e) || e.to === 'node-1'),
  ],
  [
    'before translation an allowance spares the later policies of that endpoint',
    [all()],
    {
      p: { ...forward, preDNAT: true, ingress: [allow({ protocol: 'TCP' })] },
      q: { ...forward, ingress: [] },
    },
    (e) => {
      if (e.from === 'node-1') return !isOfHost(e);
      return !(isOfHost(e) || isForwarded(e)) || e.transport === 'tcp';
    },
  ],
  [
    'untracked rules that allow both ways pass what normal policies would not',
    [hostEndpoint('one', { interfaceName: 'eth1' })],
    {
      p: {
        ...forward,
        doNotTrack: true,
        ingress: [
          allow({ protocol: 'UDP', destination: { ports: [80] } }),
          allow({ protocol: 'UDP', source: { ports: [80] } }),
        ],
        egress: [
          allow({ protocol: 'UDP', source: { ports: [80] } }),
          allow({ protocol: 'UDP', destination: { ports: [80] } }),
        ],
      },
    },
    // A pod is open to connections alone: what has none does not reach it.
    (e) =>
      !isBehind(e) ||
      (isOfHost(e)
        ? e.transport === 'udp'
        : e.transport !== 'udp' || !(e.from === 'pod-1' || e.to === 'pod-1')),
  ],
  [
    'untracked rules that allow one way only leave the answers to a connection that does not exist',
    [hostEndpoint('one', { interfaceName: 'eth1' })],
    {
      p: {
        ...forward,
        doNotTrack: true,
        ingress: [allow({ protocol: 'UDP', destination: { ports: [80] } })],
      },
    },
    (e) =>
      !isBehind(e) || (!isOfHost(e) && !(e.transport === 'udp' && e.from === 'behind' && e.to === 'pod-1')),
  ],
  [
    'untracked denials meet every packet, answers too; what they leave undecided goes on',
    [hostEndpoint('one', { interfaceName: 'eth1', profiles: open })],
    { p: { ...forward, doNotTrack: true, ingress: [deny({ protocol: 'UDP' })] } },
    (e) => !(isBehind(e) && e.transport === 'udp'),
  ],
  [
    'untracked policies say nothing about an endpoint of all interfaces',
    [all({ profiles: open })],
    { p: { ...forward, ...bothWays, doNotTrack: true, ingress: [deny()], egress: [deny()] } },
    () => true,
  ],
];

function clusterOf(hostEndpoints: HostEndpoint[], policies: Policies): Partial<Cluster> {
  const globalPolicies = Object.entries(policies).map(([name, spec]) => globalPolicy(name, spec));
  return { hostEndpoints, globalPolicies };
}

const always = [
  ...overtakenOrNot,
  [', also of packets that a change overtakes behind those that are asked first', { overtaken: 'routed' }],
  [', where what policy denies is rejected', { denyAction: 'Reject' }],
  [
    ', where it is rejected, also of packets that a change has overtaken',
    { denyAction: 'Reject', overtaken: 'anywhere' },
  ],
] as const;

for (const [title, options] of always) {
  describe(`host endpoints${title}:`, () => {
    let lab: HostLab;
    before(async () => {
      lab = await HostLab.make('hep', options);
    });
    after(() => lab?.remove());
    const everything = () => families.flatMap((family) => lab.flows(family));

    for (const [name, hostEndpoints, policies, may] of cases) {
      test(name, async () => {
        await lab.become(clusterOf(hostEndpoints, policies));
        lab.expect(everything(), (flow) => may(endsOf(flow)), name);
      });
    }
  });

  describe(`a node with host endpoints${title}`, () => {
    let lab: HostLab;
    before(async () => {
      lab = await HostLab.make('hen', options);
    });
    after(() => lab?.remove());
    const closed = { hostEndpoints: [all()] };
    const both = (flow: (family: Family) => Flow | Flow[]) => families.flatMap(flow);
    /** Lets node-1 translate what it sends to the service, until the table is deleted. */
    const serve = (place: Place) =>
      lab.nft(
        'node-1',
        `table inet services {
        chain output { type nat hook output priority -100;
          ip daddr ${service[4]} tcp dport 443 dnat ip to ${addressOf[place][4]}:80
          ip6 daddr ${service[6]} tcp dport 443 dnat ip6 to [${addressOf[place][6]}]:80
        }
      }`,
      );

    test('is reached by its failsafe ports and reaches those of others, and no more', async () => {
      await lab.become(closed);
      const flows = both((family) => [
        lab.flow('outside', 'node-1', family, 'tcp', 22),
        lab.flow('outside', 'node-1', family, 'udp', 68),
        lab.flow('pod-2', 'node-1', family, 'tcp', 6443),
        lab.flow('node-1', 'outside', family, 'tcp', 6443),
        lab.flow('node-1', 'node-2', family, 'udp', 53),
        lab.flow('outside', 'node-1', family, 'udp', 22),
        lab.flow('outside', 'node-1', family, 'udp', 53),
        lab.flow('node-1', 'outside', family, 'tcp', 22),
      ]);
      const isFailsafe = ({ port, transport }: Flow, { from }: Ends) =>
        from === 'node-1'
          ? port === 6443 || port === 53
          : port === 6443 || port === 68 || (port === 22 && transport === 'tcp');
      lab.expect(flows, (flow) => isFailsafe(flow, endsOf(flow)), 'failsafe');
    });

    test('has a failsafe port open whatever denies it, in every place', async () => {
      const everything = { ...forward, ingress: [deny()] };
      const policies = {
        n: { ...everything, ...bothWays, egress: [deny()] },
        d: { ...everything, preDNAT: true },
      };
      const untracked = { ...everything, ...bothWays, doNotTrack: true, egress: [deny()] };
      for (const endpoint of [all(), hostEndpoint('one', { interfaceName: 'eth0' })]) {
        await lab.become(clusterOf([endpoint], { ...policies, u: untracked }));
        const flows = both((family) => [
          lab.flow('outside', 'node-1', family, 'tcp', 22),
          lab.flow('node-1', 'outside', family, 'tcp', 6443),
          lab.flow('outside', 'node-1', family, 'tcp', 23),
          lab.flow('node-1', 'outside', family, 'tcp', 24),
        ]);
        lab.expect(flows, ({ port }) => port === 22 || port === 6443, 'denied everywhere');
      }
    });

    test('takes other failsafe ports at once, each for the network that it names', async () => {
      await lab.become(closed);
      lab.node(1).table.reconfigure({
        failsafe: {
          inbound: [{ protocol: 6, port: 23, net: parseCidr('10.9.0.0/24') }],
          outbound: [{ protocol: 17, port: 24, net: parseCidr('172.30.0.99/32') }],
        },
      });
      lab.node(1).apply();
      const flows = both((family) => [
        lab.flow('behind', 'node-1', family, 'tcp', 23),
        lab.flow('outside', 'node-1', family, 'tcp', 23),
        lab.flow('outside', 'node-1', family, 'tcp', 22),
        lab.flow('node-1', 'outside', family, 'udp', 24),
        lab.flow('node-1', 'node-2', family, 'udp', 24),
      ]);
      lab.expect(
        flows,
        (flow) => ['behind > node-1 tcp/23 IPv4', 'node-1 > outside udp/24 IPv4'].includes(flow.name),
        'other failsafe ports',
      );
      lab.node(1).table.reconfigure({ failsafe: defaultFailsafePorts });
      lab.node(1).apply();
    });

    test('always reaches its own pods, whatever policies say of either, also by a service', async () => {
      const closing = { ...forward, ...bothWays, ingress: [deny()], egress: [deny()] };
      const policies = { p: closing, d: { ...forward, preDNAT: true, ingress: [deny()] } };
      const cluster = clusterOf([all()], policies);
      const pods = globalPolicy('pods', { ...bothWays, selector: 'has(pod)' });
      await lab.become({ ...cluster, globalPolicies: [...(cluster.globalPolicies ?? []), pods] });
      serve('pod-1');
      lab.run('node-1', 'ip', 'route', 'add', '10.96.0.0/24', 'dev', 'eth0', 'src', addressOf['node-1'][4]);
      lab.run(
        'node-1',
        'ip',
        '-6',
        'route',
        'add',
        'fd96::/64',
        'dev',
        'eth0',
        'src',
        addressOf['node-1'][6],
      );
      const flows = both((family) => [
        ...(['tcp', 'udp', 'icmp', 'sctp'] as const).map((transport) =>
          lab.flow('node-1', 'pod-1', family, transport, 80),
        ),
        {
          ...lab.flow('node-1', 'pod-1', family, 'tcp', 80),
          name: `by service IPv${family}`,
          target: { address: service[family], port: 443 },
        },
      ]);
      lab.expect(flows, () => true, 'own pods');
      lab.nft('node-1', 'delete table inet services');
    });

    for (const denyAction of ['Drop', 'Reject'] as const)
      test(`judges what it sends to a service by where that leads, and denies by ${denyAction}`, async () => {
        lab.node(1).table.reconfigure({ path: { ...defaultPath, denyAction } });
        serve('behind');
        const flows = both((family) => ({
          ...lab.flow('node-1', 'behind', family, 'tcp', 80),
          // The source that it would have by the way that it first seemed to take.
          from: lab.end('node-1', family),
          target: { address: service[family], port: 443 },
        }));
        const to = (nets: string[]) => ({
          types: ['Egress' as const],
          egress: nets.map((net) => allow({ protocol: 'TCP', destination: { nets: [net], ports: [80] } })),
        });
        await lab.become(
          clusterOf(
            [hostEndpoint('one', { interfaceName: 'eth1' }), hostEndpoint('zero', { interfaceName: 'eth0' })],
            { p: to([]) },
          ),
        );
        lab.expect(flows, () => false, 'closed by the interface that it goes out by');
        await lab.become(
          clusterOf(
            [hostEndpoint('one', { interfaceName: 'eth1' }), hostEndpoint('zero', { interfaceName: 'eth0' })],
            { p: { ...to(['10.9.0.2/32', 'fd09::2/128']), selector: "host == 'one'" } },
          ),
        );
        lab.expect(flows, () => true, 'open by the interface that it goes out by');
        lab.nft('node-1', 'delete table inet services');
        lab.node(1).table.reconfigure({ path: defaultPath });
      });

    test('rejects what its host endpoints deny, where it is told to', async () => {
      const policies = {
        d: { ...forward, preDNAT: true, ingress: [deny({ protocol: 'TCP', destination: { ports: [25] } })] },
        f: { ...forward, ...bothWays, ingress: [deny({ protocol: 'TCP', destination: { ports: [26] } })] },
        u: { ...forward, ...bothWays, doNotTrack: true, egress: [deny({ protocol: 'SCTP' })] },
      };
      const endpoints = [all(), hostEndpoint('one', { interfaceName: 'eth1' })];
      await lab.become(clusterOf(endpoints, policies));
      const refused = (from: Place, to: Place, port: number) => {
        const namespace = openNamespace(lab.end(from, 4).namespacePath);
        using client = InetSocket.open({ namespace, family: 4, type: 'stream' });
        closeNamespace(namespace);
        client.connect({ address: addressOf[to][4], port });
        return pollReadable([client], 200).length > 0 && client.takeError() !== undefined;
      };
      const ask = () => [
        refused('outside', 'node-1', 23),
        refused('behind', 'node-1', 23),
        refused('behind', 'node-1', 25),
        refused('node-1', 'outside', 24),
        refused('node-1', 'behind', 24),
        refused('behind', 'pod-1', 26),
      ];
      assert.deepEqual(ask(), new Array(6).fill(false));
      lab.node(1).table.reconfigure({ path: { ...defaultPath, denyAction: 'Reject' } });
      lab.node(1).apply();
      // Nobody is told of what a policy denies before translation.
      assert.deepEqual(ask(), [true, true, false, true, true, true]);
      // A policy that comes, and one that goes, while others reject.
      await lab.become(clusterOf(endpoints, { ...policies, n: { ingress: [allow({ protocol: 'UDP' })] } }));
      await lab.become(clusterOf([], policies));
      await lab.become(clusterOf(endpoints, { f: policies.f }));
      assert.equal(refused('behind', 'node-1', 23), true);
      lab.node(1).table.reconfigure({ path: defaultPath });
      lab.node(1).apply();
    });

    test('judges a node port before it is translated, and closes what is open to a pod', async () => {
      lab.nft(
        'node-1',
        `table inet nodeports {
        chain prerouting { type nat hook prerouting priority -100;
          fib daddr type local tcp dport 30080 dnat ip to 10.1.0.2:80
          fib daddr type local tcp dport 30080 dnat ip6 to [fd00:1::2]:80
        }
      }`,
      );
      const flows = both((family) =>
        (['outside', 'behind', 'pod-1', 'node-2'] as const).flatMap((from) =>
          from === 'pod-1'
            ? []
            : [
                {
                  ...lab.flow(from, 'pod-1', family, 'tcp', 80),
                  name: `${from} > node port IPv${family}`,
                  target: { address: addressOf['node-1'][family], port: 30080 },
                },
                lab.flow(from, 'pod-1', family, 'tcp', 80),
              ],
        ),
      );
      const isNodePort = ({ name }: Flow) => name.includes('node port');
      await lab.become({});
      lab.expect(flows, () => true, 'without host endpoints');
      const port = { protocol: 'TCP', destination: { ports: [30080] } };
      await lab.become(
        clusterOf([all({ profiles: open })], { p: { ...forward, preDNAT: true, ingress: [deny(port)] } }),
      );
      lab.expect(flows, (flow) => !isNodePort(flow), 'the node port is denied, the pod is not');
      const fromOutside = allow({ ...port, source: { nets: ['172.30.0.99/32', 'fd30::99/128'] } });
      await lab.become(
        clusterOf([all({ profiles: open })], {
          p: { ...forward, preDNAT: true, ingress: [fromOutside, deny(port)] },
        }),
      );
      lab.expect(
        flows,
        (flow) => !isNodePort(flow) || flow.name.startsWith('outside'),
        'one may use the node port',
      );
      // After translation nobody knows of the node port any more.
      await lab.become(
        clusterOf([all({ profiles: open })], { p: { ...forward, ingress: [deny(port), allow()] } }),
      );
      lab.expect(flows, () => true, 'a policy after translation');
      lab.nft('node-1', 'delete table inet nodeports');
    });

    test('lets its own pods speak to it as defaultEndpointToHostAction says, whatever its host endpoints', async () => {
      await lab.become(closed);
      const flows = both((family) =>
        (['tcp', 'udp', 'icmp'] as const).map((transport) =>
          lab.flow('pod-1', 'node-1', family, transport, 80),
        ),
      );
      for (const action of ['Accept', 'Drop', 'Return'] as const) {
        lab.node(1).table.reconfigure({ endpointToHostAction: action });
        lab.node(1).apply();
        lab.expect(flows, () => action !== 'Drop', action);
      }
      lab.node(1).table.reconfigure({ endpointToHostAction: 'Accept' });
      await lab.become({
        ...closed,
        globalPolicies: [globalPolicy('pods', { types: ['Egress'], selector: 'has(pod)' })],
      });
      lab.expect(flows, () => false, 'the pod’s own policy');
    });

    test('is known to policies of pods by its labels, expected addresses and named ports', async () => {
      const endpoint = hostEndpoint('known', {
        interfaceName: 'eth0',
        // What a node sends to a pod elsewhere comes from its end of the overlay.
        expectedIPs: [addressOf['node-1'][4], addressOf['node-1'][6], '10.1.0.41', 'fd00:1::41'],
        ports: [{ name: 'web', protocol: 'TCP', port: 80 }],
        profiles: open,
      });
      const ingress = allow({ source: { selector: "host == 'known'", namespaceSelector: 'global()' } });
      const egress = allow({ protocol: 'TCP', destination: { selector: 'has(host)', ports: ['web'] } });
      await lab.become({
        hostEndpoints: [endpoint],
        globalPolicies: [
          globalPolicy('pods', {
            ...bothWays,
            selector: "pod == 'pod-2'",
            ingress: [ingress],
            egress: [egress],
          }),
        ],
      });
      const flows = both((family) => [
        lab.flow('node-1', 'pod-2', family, 'tcp', 80),
        lab.flow('outside', 'pod-2', family, 'tcp', 80),
        lab.flow('pod-2', 'node-1', family, 'tcp', 80),
        lab.flow('pod-2', 'node-1', family, 'tcp', 81),
        lab.flow('pod-2', 'outside', family, 'tcp', 80),
      ]);
      lab.expect(flows, ({ name, port }) => name.includes('node-1') && port === 80, 'by labels');
    });

    test('closes an interface when it comes, and when an address or a name makes it the endpoint’s', async () => {
      await lab.become({
        hostEndpoints: [
          hostEndpoint('one', { interfaceName: 'late' }),
          hostEndpoint('two', { expectedIPs: ['10.9.0.77'] }),
        ],
      });
      const flows = () => families.map((family) => lab.flow('behind', 'node-1', family, 'udp', 80));
      const node = lab.node(1);
      lab.expect(flows(), () => true, 'neither name nor address');
      lab.run('node-1', 'ip', 'addr', 'add', '10.9.0.77/24', 'dev', 'eth1');
      await node.hears((interfaces) => (interfaces.get('eth1') ?? []).includes('10.9.0.77'));
      node.apply();
      lab.expect(flows(), () => false, 'the address has come');
      lab.run('node-1', 'ip', 'addr', 'del', '10.9.0.77/24', 'dev', 'eth1');
      await node.hears((interfaces) => !(interfaces.get('eth1') ?? []).includes('10.9.0.77'));
      node.apply();
      lab.expect(flows(), () => true, 'the address has gone');
      lab.run('node-1', 'ip', 'link', 'set', 'eth1', 'name', 'late');
      lab.expect(flows(), () => false, 'renamed: without a word from anybody');
      await node.hears((interfaces) => interfaces.has('late'));
      lab.run('node-1', 'ip', 'link', 'set', 'late', 'name', 'eth1');
      await node.hears((interfaces) => interfaces.has('eth1'));
      node.apply();
      lab.expect(flows(), () => true, 'renamed back');
      await lab.become({});
    });
  });
}
