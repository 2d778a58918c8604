// What the chart makes of values: odd ones it refuses by name, every one of values.yaml arrives where it belongs, and those that work
// together stay together.
import { isDeepStrictEqual } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';

/** The objects of the chart with values besides its own, in JSON; throws with what helm says when there are none. */
export type Render = (values: object) => string;

/** What is wrong with each of these must be said of that value. */
const refused: readonly (readonly [values: object, reason: RegExp])[] = [
  [{ networking: 'vxlann' }, /\/networking': value must be one of 'vxlan', 'bgp', 'none'/],
  [{ networkng: 'bgp' }, /'networkng' not allowed/],
  [{ pools: { ipv4: { cidr: '10.0.0.0' } } }, /\/pools\/ipv4\/cidr'/],
  [{ pools: { ipv6: { blockSize: 26 } } }, /\/pools\/ipv6\/blockSize'/],
  [{ mtu: 'big' }, /\/mtu': got string, want integer/],
  [{ logLevel: 'loud' }, /\/logLevel'/],
  [{ kubeControllers: { replicas: 'two' } }, /\/kubeControllers\/replicas'/],
  [{ node: { livenessProbe: { failureTreshold: 3 } } }, /\/node\/livenessProbe'/],
  [{ policyAdmission: 'yes' }, /\/policyAdmission'/],
  [{ cni: { binFolder: 'opt/cni/bin' } }, /\/cni\/binFolder'/],
  [{ ipAutodetectionMethod: 'eth0' }, /\/ipAutodetectionMethod'/],
];

interface Effect {
  /** Where in values.yaml. */
  readonly value: string;
  readonly set: unknown;
  readonly kind: string;
  /** Where in the object of that kind; a number is a place in a list, and a text in its place the name of an item. */
  readonly at: readonly (string | number)[];
  /** What stands there then; what was set, when absent. */
  readonly becomes?: unknown;
  /** Other values that it takes to have an effect. */
  readonly beside?: object;
}

const inNode = ['spec', 'template', 'spec'] as const;
const inAgent = [...inNode, 'containers', 'calico-node'] as const;
const taint = [{ key: 'a', operator: 'Exists' }];
const affinity = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } };
const resources = { limits: { memory: '1Gi' } };
const variable = [{ name: 'A', value: 'b' }];
const dualStack = { pools: { ipv6: { cidr: 'fd00:10::/48' } } };

function inEnvironment(value: string, set: unknown, name: string, rest: Partial<Effect> = {}): Effect {
  const becomes = String(set);
  return { value, set, kind: 'DaemonSet', at: [...inAgent, 'env', name, 'value'], becomes, ...rest };
}

function inConflist(value: string, set: unknown, becomes: RegExp): Effect {
  return { value, set, kind: 'ConfigMap', at: ['data', 'cni_network_config'], becomes };
}

/** What both the DaemonSet and the Deployment have. */
function ofProgram(values: string, kind: string, container: string): Effect[] {
  const at = (name: string, ...place: string[]): Omit<Effect, 'set'> => ({
    value: `${values}.${name}`,
    kind,
    at: ['spec', 'template', ...place],
  });
  const inContainer = ['spec', 'containers', container];
  return [
    { ...at('priorityClassName', 'spec', 'priorityClassName'), set: 'other' },
    { ...at('tolerations', 'spec', 'tolerations'), set: taint },
    {
      ...at('nodeSelector', 'spec', 'nodeSelector'),
      set: { a: 'b' },
      becomes: { a: 'b', 'kubernetes.io/os': 'linux' },
    },
    { ...at('affinity', 'spec', 'affinity', 'podAffinity'), set: affinity, becomes: affinity.podAffinity },
    {
      ...at('resources', ...inContainer, 'resources', 'limits'),
      set: resources,
      becomes: resources.limits,
    },
    { ...at('podAnnotations', 'metadata', 'annotations', 'a'), set: { a: 'b' }, becomes: 'b' },
    { ...at('podLabels', 'metadata', 'labels', 'a'), set: { a: 'b' }, becomes: 'b' },
    {
      ...at('livenessProbe', ...inContainer, 'livenessProbe', 'initialDelaySeconds'),
      set: { initialDelaySeconds: 0 },
      becomes: 0,
    },
    {
      ...at('readinessProbe', ...inContainer, 'readinessProbe', 'timeoutSeconds'),
      set: { timeoutSeconds: 77 },
      becomes: 77,
    },
    { ...at('env', ...inContainer, 'env', 'A'), set: variable, becomes: variable[0] },
  ];
}

const effects: readonly Effect[] = [
  { value: 'namespace.create', set: true, kind: 'Namespace', at: ['metadata', 'name'], becomes: 'default' },
  ...(['DaemonSet', 'Deployment'] as const).flatMap((kind): Effect[] => [
    {
      value: 'image.repository',
      set: 'mine/calico',
      kind,
      at: [...inNode, 'containers', 0, 'image'],
      becomes: /^mine\/calico:./,
    },
    { value: 'image.tag', set: 'v9', kind, at: [...inNode, 'containers', 0, 'image'], becomes: /:v9$/ },
    {
      value: 'image.pullPolicy',
      set: 'Always',
      kind,
      at: [...inNode, 'containers', 0, 'imagePullPolicy'],
    },
    { value: 'imagePullSecrets', set: [{ name: 's' }], kind, at: [...inNode, 'imagePullSecrets'] },
  ]),
  { value: 'networking', set: 'bgp', kind: 'ConfigMap', at: ['data', 'calico_backend'], becomes: 'bird' },
  inEnvironment('pools.ipv4.cidr', '10.9.0.0/16', 'CALICO_IPV4POOL_CIDR'),
  inEnvironment('pools.ipv4.blockSize', 27, 'CALICO_IPV4POOL_BLOCK_SIZE'),
  inEnvironment('pools.ipv4.vxlanMode', 'CrossSubnet', 'CALICO_IPV4POOL_VXLAN'),
  inEnvironment('pools.ipv4.natOutgoing', false, 'CALICO_IPV4POOL_NAT_OUTGOING'),
  inEnvironment('pools.ipv4.nodeSelector', 'has(x)', 'CALICO_IPV4POOL_NODE_SELECTOR'),
  inEnvironment('pools.ipv6.cidr', 'fd00:10::/48', 'CALICO_IPV6POOL_CIDR'),
  inEnvironment('pools.ipv6.blockSize', 120, 'CALICO_IPV6POOL_BLOCK_SIZE', { beside: dualStack }),
  inEnvironment('pools.ipv6.vxlanMode', 'CrossSubnet', 'CALICO_IPV6POOL_VXLAN', { beside: dualStack }),
  inEnvironment('pools.ipv6.natOutgoing', true, 'CALICO_IPV6POOL_NAT_OUTGOING', { beside: dualStack }),
  inEnvironment('pools.ipv6.nodeSelector', 'has(x)', 'CALICO_IPV6POOL_NODE_SELECTOR', { beside: dualStack }),
  { value: 'mtu', set: 1400, kind: 'ConfigMap', at: ['data', 'veth_mtu'], becomes: '1400' },
  inEnvironment('ipAutodetectionMethod', 'interface=eth1', 'IP_AUTODETECTION_METHOD'),
  inEnvironment('ip6AutodetectionMethod', 'interface=eth1', 'IP6_AUTODETECTION_METHOD', {
    beside: dualStack,
  }),
  {
    value: 'cni.binFolder',
    set: '/usr/lib/cni',
    kind: 'DaemonSet',
    at: [...inNode, 'volumes', 'cni-bin', 'hostPath', 'path'],
  },
  {
    value: 'cni.configurationFolder',
    set: '/etc/other',
    kind: 'DaemonSet',
    at: [...inNode, 'volumes', 'cni-net', 'hostPath', 'path'],
  },
  inEnvironment('cni.configurationFolder', '/etc/other', 'CNI_HOST_NET_DIR'),
  inEnvironment('cni.configurationName', '05-calico.conflist', 'CNI_CONF_NAME'),
  inConflist('cni.chained', [{ type: 'bandwidth' }], /"type": "bandwidth"/),
  inConflist('logLevel', 'debug', /"log_level": "debug"/),
  inEnvironment('logLevel', 'debug', 'FELIX_LOGSEVERITYSCREEN'),
  {
    value: 'logLevel',
    set: 'debug',
    kind: 'Deployment',
    at: [...inNode, 'containers', 0, 'env', 'LOG_LEVEL', 'value'],
  },
  inEnvironment('felix.FELIX_DEFAULTENDPOINTTOHOSTACTION', 'DROP', 'FELIX_DEFAULTENDPOINTTOHOSTACTION'),
  // Every number is a fraction to Helm.
  inEnvironment('felix.FELIX_VXLANVNI', 1_000_000, 'FELIX_VXLANVNI'),
  ...['livenessProbe', 'startupProbe', 'readinessProbe'].map(
    (probe): Effect => ({
      value: 'felix.FELIX_HEALTHPORT',
      set: 9100,
      kind: 'DaemonSet',
      at: [...inAgent, probe, 'httpGet', 'port'],
    }),
  ),
  // Nobody would answer them.
  ...['livenessProbe', 'startupProbe', 'readinessProbe'].flatMap((probe) =>
    [false, 'no'].map(
      (set): Effect => ({
        value: 'felix.FELIX_HEALTHENABLED',
        set,
        kind: 'DaemonSet',
        at: [...inAgent, probe],
        becomes: undefined,
      }),
    ),
  ),
  inEnvironment('felix.FELIX_HEALTHENABLED', false, 'FELIX_HEALTHENABLED'),
  ...ofProgram('node', 'DaemonSet', 'calico-node'),
  {
    value: 'node.updateStrategy.rollingUpdate.maxUnavailable',
    set: '20%',
    kind: 'DaemonSet',
    at: ['spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'],
  },
  {
    value: 'node.updateStrategy.type',
    set: 'OnDelete',
    kind: 'DaemonSet',
    at: ['spec', 'updateStrategy', 'type'],
  },
  {
    value: 'node.terminationGracePeriodSeconds',
    set: 30,
    kind: 'DaemonSet',
    at: [...inNode, 'terminationGracePeriodSeconds'],
  },
  {
    value: 'node.startupProbe',
    set: { failureThreshold: 600 },
    kind: 'DaemonSet',
    at: [...inAgent, 'startupProbe', 'failureThreshold'],
    becomes: 600,
  },
  {
    value: 'node.volumes',
    set: [{ name: 'more', emptyDir: {} }],
    kind: 'DaemonSet',
    at: [...inNode, 'volumes', 'more'],
    becomes: { name: 'more', emptyDir: {} },
  },
  {
    value: 'node.volumeMounts',
    set: [{ name: 'more', mountPath: '/more' }],
    kind: 'DaemonSet',
    at: [...inAgent, 'volumeMounts', 'more', 'mountPath'],
    becomes: '/more',
  },
  ...ofProgram('kubeControllers', 'Deployment', 'calico-kube-controllers'),
  { value: 'kubeControllers.replicas', set: 2, kind: 'Deployment', at: ['spec', 'replicas'] },
  {
    value: 'kubeControllers.podDisruptionBudget.maxUnavailable',
    set: '50%',
    kind: 'PodDisruptionBudget',
    at: ['spec', 'maxUnavailable'],
  },
  {
    value: 'kubeControllers.podDisruptionBudget',
    set: null,
    kind: 'PodDisruptionBudget',
    at: [],
    becomes: undefined,
  },
  {
    value: 'policyAdmission',
    set: 'v1',
    kind: 'MutatingAdmissionPolicyBinding',
    at: ['spec', 'policyName'],
    becomes: /projectcalico/,
  },
  {
    value: 'uninstall',
    set: true,
    kind: 'DaemonSet',
    at: ['metadata', 'name'],
    becomes: 'calico-uninstall',
  },
];

/** Returns a sentence for each thing that is not so. `valuesFile` is the text of the chart's values.yaml. */
export function faultsOfValues(valuesFile: string, render: Render): string[] {
  const faults = refused.flatMap(([values, reason]) => {
    const answer = refusalOf(() => render(values));
    return answer !== undefined && reason.test(answer)
      ? []
      : [`the chart takes ${JSON.stringify(values)}, or does not say why not`];
  });
  const defaults = parse(valuesFile);
  for (const leaf of leavesOf(defaults)) {
    if (!effects.some(({ value }) => value === leaf || value.startsWith(`${leaf}.`)))
      faults.push(`nobody looks what ${leaf} does`);
  }
  for (const effect of effects) {
    const { value, set, kind, at } = effect;
    const found = placeIn(render(merged(effect.beside ?? {}, nested(value, set))), kind, at);
    const expected = 'becomes' in effect ? effect.becomes : set;
    const isSo =
      expected instanceof RegExp ? expected.test(String(found)) : isDeepStrictEqual(found, expected);
    if (!isSo) {
      const place = `${at.join('.')} of the ${kind}`;
      faults.push(`${value} ${JSON.stringify(set)} makes ${place} ${JSON.stringify(found)}`);
    }
  }
  // Read from the ConfigMap when calico-node starts: without another template nothing would start it.
  const checksum = ['spec', 'template', 'metadata', 'annotations', 'checksum/config'];
  const [one, other] = [1400, 1401].map((mtu) => placeIn(render({ mtu }), 'DaemonSet', checksum));
  if (one === undefined || one === other)
    faults.push('a change of mtu does not reach a calico-node that runs');
  // Without a cluster there is nobody who could say that it serves them.
  const admission = (policyAdmission: string) =>
    objectsIn(render({ policyAdmission })).filter(({ kind }) => kind === 'MutatingAdmissionPolicy');
  if (admission('auto').length > 0)
    faults.push('policies of admission are there for a cluster that may not know them');
  for (const version of ['v1', 'v1beta1']) {
    const versions = admission(version).map(({ apiVersion }) => apiVersion);
    const wanted = `admissionregistration.k8s.io/${version}`;
    if (!isDeepStrictEqual(versions, [wanted, wanted]))
      faults.push(`policyAdmission=${version} brings policies of ${versions.join(', ') || 'no version'}`);
  }
  return faults;
}

function refusalOf(render: () => string): string | undefined {
  try {
    render();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Paths of what has no names of its own below it. */
function leavesOf(values: object, path = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const here = `${path}${name}`;
    const isLeaf = typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length === 0;
    return isLeaf ? [here] : freeForm.has(here) ? [here] : leavesOf(value, `${here}.`);
  });
}

/** Objects of Kubernetes' own, which are passed on as they are. */
const freeForm = new Set(['nodeSelector', 'affinity', 'resources'].map((name) => `node.${name}`)).add(
  'kubeControllers.nodeSelector',
);

function nested(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

function merged(one: object, other: object): object {
  const result: Record<string, unknown> = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const held = result[name];
    const isObject = (candidate: unknown): candidate is object =>
      typeof candidate === 'object' && candidate !== null && !Array.isArray(candidate);
    result[name] = isObject(held) && isObject(value) ? merged(held, value) : value;
  }
  return result;
}

/** Undefined when there is no such object, or nothing at that place of it. */
function placeIn(objects: string, kind: string, at: readonly (string | number)[]): unknown {
  const found: unknown = objectsIn(objects).find((object) => object.kind === kind);
  return at.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner) && typeof key === 'string') return inner.find(({ name }) => name === key);
    return (inner as Record<string | number, unknown> | undefined)?.[key];
  }, found);
}

function objectsIn(text: string): { readonly apiVersion?: string; readonly kind?: string }[] {
  return parseAllDocuments(text).map((document) => document.toJS() ?? {});
}
