// v1 Binding: not kept, but the word of a scheduler on which node a pod is to run.
import { isObject, type JsonObject, type KubeObject, listAt, objectAt, stringAt } from '../json.ts';
import { lostPrecondition } from '../objects/lost-precondition.ts';
import { timestamp } from '../objects/timestamp.ts';
import { openObject, strictObject, string } from '../schema/schema.ts';
import { requiredValue, unsupportedValue } from '../schema/validate.ts';
import { conflict, notFound, StatusError } from '../status-error.ts';
import { podType } from './pod.ts';
import { type AnswerOptions, builtIn, collectionOf } from './resource-type.ts';

export const bindingType = builtIn({
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  verbs: ['create'],
  schema: strictObject({ target: openObject({ kind: string, name: string }) }),
  answer: bindPod,
});

const subject = { group: '', plural: 'pods/binding', kind: 'Binding' };

/** Puts the pod of the binding's name on the node. @throws StatusError 404, 409, 500 for a target that is none */
export function bindPod(binding: KubeObject, { store, dryRun }: AnswerOptions): JsonObject {
  const { name, namespace = '', uid, resourceVersion, annotations } = binding.metadata;
  const node = nodeIn(binding);
  const pod = store.get(collectionOf(podType), namespace, name);
  if (!pod) throw notFound(podType, name);
  assertRecord(pod, 'UID', uid, pod.metadata.uid);
  assertRecord(pod, 'ResourceVersion', resourceVersion, pod.metadata.resourceVersion);
  assertFree(pod);
  const bound: KubeObject = {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations && { annotations: { ...pod.metadata.annotations, ...annotations } }),
    },
    spec: { ...objectAt(pod, 'spec'), nodeName: node },
    status: { ...objectAt(pod, 'status'), conditions: [...otherConditions(pod), scheduled()] },
  };
  if (!dryRun) store.put(collectionOf(podType), bound);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

/** The real server says it without the form that its other refusals have. */
function nodeIn(binding: KubeObject): string {
  const kind = stringAt(binding, 'target', 'kind');
  const name = stringAt(binding, 'target', 'name');
  const faults = [
    ...(kind === '' || kind === 'Node' ? [] : [unsupportedValue('target.kind', kind, ['Node', '<empty>'])]),
    ...(name === '' ? [requiredValue('target.name')] : []),
  ];
  const lines = faults.map(({ field, message }) => `${field}: ${message}`);
  if (lines.length === 0) return name;
  throw new StatusError(500, '', lines.length === 1 ? String(lines[0]) : `[${lines.join(', ')}]`);
}

function assertRecord(pod: KubeObject, what: string, expected = '', found = ''): void {
  if (expected === '' || expected === found) return;
  throw conflict(podType, pod.metadata.name, lostPrecondition(podType, pod, what, expected, found));
}

/** @throws StatusError 409 unless the pod waits for a node, and nothing but that */
function assertFree(pod: KubeObject): void {
  const { name, deletionTimestamp } = pod.metadata;
  const node = stringAt(pod, 'spec', 'nodeName');
  const why = deletionTimestamp
    ? 'is being deleted, cannot be assigned to a host'
    : node !== ''
      ? `is already assigned to node ${JSON.stringify(node)}`
      : listAt(pod, 'spec', 'schedulingGates').length > 0
        ? 'has non-empty .spec.schedulingGates'
        : undefined;
  if (why) throw conflict(subject, name, `pod ${name} ${why}`);
}

function otherConditions(pod: KubeObject) {
  return listAt(pod, 'status', 'conditions').filter(
    (condition) => !isObject(condition) || condition.type !== 'PodScheduled',
  );
}

function scheduled(): JsonObject {
  return {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(),
  };
}
