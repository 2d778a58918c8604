// v1 Pod: the fields that the server defaults, merges by key or shows; the hundreds of others pass through.
import { isObject, type KubeObject, listAt, objectAt, stringAt, valueAt } from '../json.ts';
import {
  boolean,
  integer,
  intOrString,
  listByKey,
  openObject,
  type Schema,
  setOf,
  string,
  stringMap,
} from '../schema/schema.ts';
import { ageColumn, humanDuration } from '../table/age.ts';
import { conditionList } from './conditions.ts';
import { podFaults } from './pod-rules.ts';
import { podUpdateFaults } from './pod-update-rules.ts';
import { fillRequests, qosClassOf } from './qos-class.ts';
import { builtIn } from './resource-type.ts';

const protocol: Schema = { type: 'string', enum: ['SCTP', 'TCP', 'UDP'], default: 'TCP' };

const container = openObject({
  name: string,
  image: string,
  imagePullPolicy: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] },
  ports: listByKey(
    ['containerPort', 'protocol'],
    openObject({ containerPort: integer, protocol, name: string, hostPort: integer }),
  ),
  env: listByKey(['name'], openObject({ name: string, value: string })),
  volumeMounts: listByKey(['mountPath'], openObject({ mountPath: string, name: string })),
  resources: { ...openObject({}), default: {} },
  terminationMessagePath: { type: 'string', default: '/dev/termination-log' },
  terminationMessagePolicy: { type: 'string', default: 'File' },
});

/** A pod's spec, which names its merge keys for patches. */
const podSpec = openObject(
  {
    activeDeadlineSeconds: integer,
    nodeName: string,
    nodeSelector: stringMap,
    hostNetwork: boolean,
    serviceAccountName: string,
    serviceAccount: { type: 'string' },
    restartPolicy: { type: 'string', enum: ['Always', 'OnFailure', 'Never'], default: 'Always' },
    dnsPolicy: {
      type: 'string',
      enum: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
      default: 'ClusterFirst',
    },
    schedulerName: { type: 'string', default: 'default-scheduler' },
    securityContext: { ...openObject({}), default: {} },
    enableServiceLinks: { type: 'boolean', default: true },
    terminationGracePeriodSeconds: { type: 'integer', default: 30 },
    containers: listByKey(['name'], container),
    initContainers: listByKey(['name'], container),
    ephemeralContainers: listByKey(['name'], container),
    imagePullSecrets: listByKey(['name'], openObject({ name: string })),
    hostAliases: listByKey(['ip'], openObject({ ip: string, hostnames: setOf(string) })),
    schedulingGates: listByKey(['name'], openObject({ name: string })),
    volumes: listByKey(['name'], openObject({ name: string }, ['name'])),
    tolerations: { type: 'array', items: openObject({ key: string, operator: string, value: string }) },
  },
  ['containers'],
);

export const podType = builtIn({
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  hasStatus: true,
  subresources: [{ name: 'binding', kind: 'Binding', verb: 'create' }],
  hasGeneration: true,
  emptyObject: { spec: { containers: [] } },
  schema: openObject({
    spec: { ...podSpec, default: {} },
    status: openObject({
      phase: string,
      podIP: string,
      podIPs: listByKey(['ip'], openObject({ ip: string }, ['ip'])),
      conditions: conditionList,
      containerStatuses: { type: 'array', items: openObject({ ready: boolean, restartCount: integer }) },
      qosClass: string,
      exitCode: intOrString,
    }),
  }),
  columns: [
    { name: 'Ready', type: 'string', value: readyContainers },
    { name: 'Status', type: 'string', value: phaseShown },
    { name: 'Restarts', type: 'string', value: restarts },
    ageColumn,
    { name: 'IP', type: 'string', priority: 1, value: (pod) => stringAt(pod, 'status', 'podIP') || '<none>' },
    {
      name: 'Node',
      type: 'string',
      priority: 1,
      value: (pod) => stringAt(pod, 'spec', 'nodeName') || '<none>',
    },
    {
      name: 'Nominated Node',
      type: 'string',
      priority: 1,
      value: (pod) => stringAt(pod, 'status', 'nominatedNodeName') || '<none>',
    },
    { name: 'Readiness Gates', type: 'string', priority: 1, value: () => '<none>' },
  ],
  selectableFields: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
  ],
  complete(pod) {
    const spec = objectAt(pod, 'spec');
    for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]) {
      if (!isObject(container) || container.imagePullPolicy !== undefined) continue;
      const image = stringAt(container, 'image');
      // As in Kubernetes: what is untagged or ":latest" may have moved on.
      const isUntagged = /^\S+$/.test(image) && !/[:@][^/]+$/.test(image);
      const isMoving = isUntagged || (image.endsWith(':latest') && !image.includes('@'));
      container.imagePullPolicy = isMoving ? 'Always' : 'IfNotPresent';
    }
  },
  prepare(pod, old) {
    const spec = objectAt(pod, 'spec');
    fillRequests(spec);
    if (!old) pod.status = { phase: 'Pending', qosClass: qosClassOf(spec) };
    if (!old) spec.serviceAccountName ??= 'default';
    spec.serviceAccount = spec.serviceAccountName;
  },
  objectRules: (pod, old) => [...podFaults(pod), ...(old ? podUpdateFaults(pod, old) : [])],
});

function readyContainers(pod: KubeObject): string {
  const ready = listAt(pod, 'status', 'containerStatuses').filter(
    (status) => valueAt(status, 'ready') === true,
  );
  return `${ready.length}/${listAt(pod, 'spec', 'containers').length}`;
}

function phaseShown(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  for (const status of listAt(pod, 'status', 'containerStatuses')) {
    const reason =
      stringAt(status, 'state', 'waiting', 'reason') || stringAt(status, 'state', 'terminated', 'reason');
    if (reason) return reason;
  }
  return stringAt(pod, 'status', 'reason') || stringAt(pod, 'status', 'phase');
}

function restarts(pod: KubeObject): string {
  let count = 0;
  let last = '';
  for (const status of listAt(pod, 'status', 'containerStatuses')) {
    count += Number(valueAt(status, 'restartCount') ?? 0);
    const finished = stringAt(status, 'lastState', 'terminated', 'finishedAt');
    if (finished > last) last = finished;
  }
  return count > 0 && last ? `${count} (${humanDuration(Date.now() - Date.parse(last))} ago)` : String(count);
}
