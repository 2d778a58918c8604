// Who reaches whom among nine pods, three in each of three namespaces, under one policy after another: the shapes that Kubernetes'
// network group describes for every implementation. A case says in its own words who reaches whom; nothing of ours computes it.

export interface Party {
  /** "x", "y" or "z": the namespace's label `ns`. */
  readonly ns: string;
  /** "a", "b" or "c": the pod's label `pod`. */
  readonly pod: string;
}

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface Step {
  /** Policies to apply, with their namespace; those of earlier steps stay. */
  readonly policies?: readonly NetworkPolicy[];
  /** Names of policies in namespace "x" to delete. */
  readonly withdraw?: readonly string[];
  /** Labels to set, or with null to take away: of a namespace, or of a pod as "x/a". */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  /** 80 unless said otherwise. */
  readonly port?: 80 | 81;
  readonly reaches: (from: Party, to: Party) => boolean;
}

export interface Case {
  readonly name: string;
  /** TCP unless said otherwise. */
  readonly protocol?: Protocol;
  readonly steps: readonly Step[];
}

export interface NetworkPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: object;
}

export const namespaceNames = ['x', 'y', 'z'] as const;
export const podNames = ['a', 'b', 'c'] as const;
export const ports = [80, 81] as const;

const is = ({ ns, pod }: Party, name: string) => `${ns}/${pod}` === name;
const same = (from: Party, to: Party) => from.ns === to.ns && from.pod === to.pod;
const pods = (labels: object) => ({ podSelector: { matchLabels: labels } });
const spaces = (labels: object) => ({ namespaceSelector: { matchLabels: labels } });
const toA = { podSelector: { matchLabels: { pod: 'a' } } };
const everyPod = { podSelector: {} };

/** A policy of namespace x. */
function policy(name: string, spec: object, namespace = 'x'): NetworkPolicy {
  return { name, namespace, spec };
}
const ingress = (name: string, whom: object, ...rules: object[]) =>
  policy(name, { ...whom, policyTypes: ['Ingress'], ingress: rules });
const egress = (name: string, whom: object, ...rules: object[]) =>
  policy(name, { ...whom, policyTypes: ['Egress'], egress: rules });
const tcp = (port: number | string) => ({ protocol: 'TCP', port });

/** Everybody reaches everybody, but x/a is reached only by those of whom `by` is true. */
const onlyToA = (by: (from: Party) => boolean) => (from: Party, to: Party) =>
  same(from, to) || !is(to, 'x/a') || by(from);
const nobody = () => false;
const everybody = () => true;

function one(
  name: string,
  policies: readonly NetworkPolicy[],
  reaches: Step['reaches'],
  port?: 80 | 81,
): Case {
  return { name, steps: [{ policies, reaches, ...(port && { port }) }] };
}

/** A policy's port 81 is another's: each of these is looked at on both. */
function onBothPorts(
  name: string,
  policies: readonly NetworkPolicy[],
  on80: Step['reaches'],
  on81: Step['reaches'],
): Case {
  return {
    name,
    steps: [
      { policies, reaches: on80, port: 80 },
      { reaches: on81, port: 81 },
    ],
  };
}

const denyIngress = ingress('deny-ingress', everyPod);
const denyEgress = egress('deny-egress', everyPod);
const denyBoth = policy('deny-all', { ...everyPod, policyTypes: ['Ingress', 'Egress'] });
const intoX = (from: Party, to: Party) => same(from, to) || to.ns !== 'x';

export const tcpCases: readonly Case[] = [
  one('default deny of ingress', [denyIngress], intoX),
  one('default deny of egress', [denyEgress], (from, to) => same(from, to) || from.ns !== 'x'),
  one('default deny of both', [denyBoth], (from, to) => same(from, to) || (from.ns !== 'x' && to.ns !== 'x')),
  one('an empty ingress rule allows all', [ingress('allow', everyPod, {})], everybody),
  one('an empty egress rule allows all', [egress('allow', everyPod, {})], everybody),
  one('deny, and allow all beside it', [denyIngress, ingress('allow', everyPod, {})], everybody),
  one(
    'from a pod by its label, of the same namespace',
    [ingress('p', toA, { from: [pods({ pod: 'b' })] })],
    onlyToA((from) => is(from, 'x/b')),
  ),
  one(
    'from any pod of the same namespace',
    [ingress('p', toA, { from: [{ podSelector: {} }] })],
    onlyToA(({ ns }) => ns === 'x'),
  ),
  one(
    'from a namespace by its label',
    [ingress('p', toA, { from: [spaces({ ns: 'y' })] })],
    onlyToA(({ ns }) => ns === 'y'),
  ),
  one('from all namespaces', [ingress('p', toA, { from: [{ namespaceSelector: {} }] })], everybody),
  one(
    'from pods of a namespace, both by label',
    [ingress('p', toA, { from: [{ ...spaces({ ns: 'y' }), ...pods({ pod: 'b' }) }] })],
    onlyToA((from) => is(from, 'y/b')),
  ),
  one(
    'from pods of any namespace by their label',
    [ingress('p', toA, { from: [{ namespaceSelector: {}, ...pods({ pod: 'b' }) }] })],
    onlyToA(({ pod }) => pod === 'b'),
  ),
  one(
    'from pods by label or from a namespace by label',
    [ingress('p', toA, { from: [pods({ pod: 'b' }), spaces({ ns: 'y' })] })],
    onlyToA((from) => is(from, 'x/b') || from.ns === 'y'),
  ),
  one(
    'from namespaces by an expression',
    [
      ingress('p', toA, {
        from: [
          { namespaceSelector: { matchExpressions: [{ key: 'ns', operator: 'NotIn', values: ['x'] }] } },
        ],
      }),
    ],
    onlyToA(({ ns }) => ns !== 'x'),
  ),
  one(
    'from pods by an expression',
    [
      ingress('p', toA, {
        from: [{ podSelector: { matchExpressions: [{ key: 'pod', operator: 'In', values: ['b', 'c'] }] } }],
      }),
    ],
    onlyToA((from) => is(from, 'x/b') || is(from, 'x/c')),
  ),
  one(
    'to pods by an expression',
    [
      ingress('p', {
        podSelector: { matchExpressions: [{ key: 'pod', operator: 'NotIn', values: ['b', 'c'] }] },
      }),
    ],
    onlyToA(nobody),
  ),
  one(
    'from a namespace by the name that Kubernetes writes on it',
    [ingress('p', toA, { from: [spaces({ 'kubernetes.io/metadata.name': 'z' })] })],
    onlyToA(({ ns }) => ns === 'z'),
  ),
  one(
    'a selector that selects nobody allows nobody',
    [ingress('p', toA, { from: [pods({ pod: 'q' })] })],
    onlyToA(nobody),
  ),
  one('a policy that selects nobody denies nobody', [ingress('p', pods({ pod: 'q' }))], everybody),
  onBothPorts('a port by number', [ingress('p', toA, { ports: [tcp(80)] })], everybody, onlyToA(nobody)),
  onBothPorts(
    'a port by name',
    [ingress('p', toA, { ports: [tcp('serve-81-tcp')] })],
    onlyToA(nobody),
    everybody,
  ),
  onBothPorts(
    'a range of ports',
    [ingress('p', toA, { ports: [{ protocol: 'TCP', port: 79, endPort: 80 }] })],
    everybody,
    onlyToA(nobody),
  ),
  onBothPorts(
    'a port and a namespace in one rule',
    [ingress('p', toA, { from: [spaces({ ns: 'y' })], ports: [tcp(81)] })],
    onlyToA(nobody),
    onlyToA(({ ns }) => ns === 'y'),
  ),
  onBothPorts(
    'a port of one rule and a namespace of another',
    [ingress('p', toA, { ports: [tcp(81)] }, { from: [spaces({ ns: 'y' })] })],
    onlyToA(({ ns }) => ns === 'y'),
    everybody,
  ),
  onBothPorts(
    'two ports in one rule',
    [ingress('p', toA, { ports: [tcp(80), tcp(81)] })],
    everybody,
    everybody,
  ),
  onBothPorts(
    'rules of several policies add up',
    [ingress('first', toA, { ports: [tcp(80)] }), ingress('second', toA, { from: [spaces({ ns: 'z' })] })],
    everybody,
    onlyToA(({ ns }) => ns === 'z'),
  ),
  one(
    'a port of another protocol opens nothing',
    [ingress('p', toA, { ports: [{ protocol: 'UDP', port: 80 }] })],
    onlyToA(nobody),
  ),
  onBothPorts(
    'egress to a port by number',
    [egress('p', toA, { ports: [tcp(80)] })],
    everybody,
    (from, to) => same(from, to) || !is(from, 'x/a'),
  ),
  onBothPorts(
    'egress to a port by name',
    [egress('p', toA, { ports: [tcp('serve-80-tcp')] })],
    everybody,
    (from, to) => same(from, to) || !is(from, 'x/a'),
  ),
  one(
    'egress to a namespace by its label',
    [egress('p', toA, { to: [spaces({ ns: 'y' })] })],
    (from, to) => same(from, to) || !is(from, 'x/a') || to.ns === 'y',
  ),
  one(
    'egress to pods of a namespace, both by label',
    [egress('p', toA, { to: [{ ...spaces({ ns: 'y' }), ...pods({ pod: 'b' }) }] })],
    (from, to) => same(from, to) || !is(from, 'x/a') || is(to, 'y/b'),
  ),
  one(
    'egress to pods of the same namespace',
    [egress('p', toA, { to: [{ podSelector: {} }] })],
    (from, to) => same(from, to) || !is(from, 'x/a') || to.ns === 'x',
  ),
  one(
    'ingress and egress meet: both ends must allow',
    [
      egress('out', toA, { to: [pods({ pod: 'b' })] }),
      ingress('in', pods({ pod: 'b' }), { from: [pods({ pod: 'c' })] }),
    ],
    (from, to) =>
      same(from, to) || ((!is(from, 'x/a') || is(to, 'x/b')) && (!is(to, 'x/b') || is(from, 'x/c'))),
  ),
  one(
    'a policy of one direction leaves the other alone',
    [egress('p', toA)],
    (from, to) => same(from, to) || !is(from, 'x/a'),
  ),
  one(
    "policies of two namespaces are each other's no business",
    [ingress('p', toA), policy('p', { ...toA, policyTypes: ['Ingress'], ingress: [{}] }, 'y')],
    onlyToA(nobody),
  ),
  {
    name: 'a policy that is changed',
    steps: [
      {
        policies: [ingress('p', toA, { from: [pods({ pod: 'b' })] })],
        reaches: onlyToA((from) => is(from, 'x/b')),
      },
      {
        policies: [ingress('p', toA, { from: [pods({ pod: 'c' })] })],
        reaches: onlyToA((from) => is(from, 'x/c')),
      },
      { policies: [ingress('p', toA, {})], reaches: everybody },
    ],
  },
  {
    name: 'a policy that is deleted',
    steps: [
      { policies: [denyIngress], reaches: intoX },
      { withdraw: ['deny-ingress'], reaches: everybody },
    ],
  },
  {
    name: 'a namespace whose label comes and goes',
    steps: [
      { policies: [ingress('p', toA, { from: [spaces({ team: 'blue' })] })], reaches: onlyToA(nobody) },
      { labels: { y: { team: 'blue' } }, reaches: onlyToA(({ ns }) => ns === 'y') },
      { labels: { y: { team: null }, z: { team: 'blue' } }, reaches: onlyToA(({ ns }) => ns === 'z') },
      { labels: { z: { team: null } }, reaches: onlyToA(nobody) },
    ],
  },
  {
    name: 'a client whose label comes and goes',
    steps: [
      { policies: [ingress('p', toA, { from: [pods({ role: 'client' })] })], reaches: onlyToA(nobody) },
      { labels: { 'x/b': { role: 'client' } }, reaches: onlyToA((from) => is(from, 'x/b')) },
      { labels: { 'x/b': { role: null } }, reaches: onlyToA(nobody) },
    ],
  },
  {
    name: 'a server whose label comes and goes',
    steps: [
      { policies: [ingress('p', pods({ role: 'closed' }))], reaches: everybody },
      { labels: { 'x/a': { role: 'closed' } }, reaches: onlyToA(nobody) },
      { labels: { 'x/a': { role: null } }, reaches: everybody },
    ],
  },
  {
    name: 'deny first, then opened by a second policy, then closed again',
    steps: [
      { policies: [denyIngress], reaches: intoX },
      {
        policies: [ingress('open', toA, { from: [spaces({ ns: 'y' })] })],
        reaches: (from, to) => intoX(from, to) || (is(to, 'x/a') && from.ns === 'y'),
      },
      { withdraw: ['open'], reaches: intoX },
    ],
  },
  {
    name: 'egress denied first, then opened to one namespace',
    steps: [
      { policies: [denyEgress], reaches: (from, to) => same(from, to) || from.ns !== 'x' },
      {
        policies: [egress('open', everyPod, { to: [spaces({ ns: 'z' })] })],
        reaches: (from, to) => same(from, to) || from.ns !== 'x' || to.ns === 'z',
      },
    ],
  },
];

/** The same shapes over another protocol. */
export function casesOf(protocol: 'udp' | 'sctp'): readonly Case[] {
  const name = protocol.toUpperCase();
  const port = (number: number) => ({ protocol: name, port: number });
  return [
    {
      name: `${name}: default deny of ingress`,
      protocol,
      steps: [{ policies: [denyIngress], reaches: intoX }],
    },
    {
      name: `${name}: a port by number`,
      protocol,
      steps: [
        { policies: [ingress('p', toA, { ports: [port(80)] })], reaches: everybody },
        { port: 81, reaches: onlyToA(nobody) },
      ],
    },
    {
      name: `${name}: a namespace and a port in one rule`,
      protocol,
      steps: [
        {
          policies: [ingress('p', toA, { from: [spaces({ ns: 'y' })], ports: [port(81)] })],
          reaches: onlyToA(nobody),
        },
        { port: 81, reaches: onlyToA(({ ns }) => ns === 'y') },
      ],
    },
  ];
}
