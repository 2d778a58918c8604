// What of a Pod's spec may still be changed once there is the pod: its images, a deadline that comes closer, more that it tolerates, and
// what it waits for. In Kubernetes' words.
import {
  isEqual,
  isObject,
  type Json,
  type JsonObject,
  type KubeObject,
  listAt,
  objectAt,
  stringAt,
} from '../json.ts';
import { forbiddenValue, invalidShown, invalidValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';

const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

export function podUpdateFaults(pod: KubeObject, old: KubeObject): FieldFault[] {
  const spec = objectAt(pod, 'spec');
  const before = objectAt(old, 'spec');
  if (isEqual(spec, before)) return [];
  const moved = containerListFaults(spec, before);
  if (moved.length > 0) return moved;
  return [
    ...deadlineFaults(spec.activeDeadlineSeconds, before.activeDeadlineSeconds),
    ...gateFaults(spec, before),
    ...tolerationFaults(spec, before),
    ...selectorFaults(spec, before),
    ...otherFaults(spec, before),
  ];
}

function containerListFaults(spec: JsonObject, before: JsonObject): FieldFault[] {
  return ['containers', 'initContainers']
    .filter((list) => listAt(spec, list).length !== listAt(before, list).length)
    .map((list) => forbiddenValue(`spec.${list}`, 'pod updates may not add or remove containers'));
}

function deadlineFaults(seconds: Json | undefined, before: Json | undefined): FieldFault[] {
  const field = 'spec.activeDeadlineSeconds';
  if (typeof seconds !== 'number') {
    if (typeof before !== 'number') return [];
    return [invalidValue(field, null, 'must not update from a positive integer to nil value')];
  }
  if (seconds < 0) return [invalidValue(field, seconds, 'must be between 0 and 2147483647, inclusive')];
  if (typeof before !== 'number' || seconds <= before) return [];
  return [invalidValue(field, seconds, 'must be less than or equal to previous value')];
}

/** What a pod waits for may be taken away, and nothing added to it. */
function gateFaults(spec: JsonObject, before: JsonObject): FieldFault[] {
  const known = new Set(listAt(before, 'schedulingGates').map((gate) => stringAt(gate, 'name')));
  return listAt(spec, 'schedulingGates').flatMap((gate, index) => {
    const name = stringAt(gate, 'name');
    if (known.has(name)) return [];
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [forbiddenValue(`spec.schedulingGates[${index}].name`, why)];
  });
}

function tolerationFaults(spec: JsonObject, before: JsonObject): FieldFault[] {
  const kept = listAt(spec, 'tolerations').map(untimed);
  if (listAt(before, 'tolerations').every((one) => kept.some((other) => isEqual(untimed(one), other))))
    return [];
  const why = 'existing toleration can not be modified except its tolerationSeconds';
  return [forbiddenValue('spec.tolerations', why)];
}

function untimed(toleration: Json): Json {
  return isObject(toleration) ? { ...toleration, tolerationSeconds: undefined } : toleration;
}

/** While a pod waits, it may become choosier about its node. */
function selectorFaults(spec: JsonObject, before: JsonObject): FieldFault[] {
  const selector = objectAt(spec, 'nodeSelector');
  const required = Object.entries(objectAt(before, 'nodeSelector'));
  if (!isGated(before) || required.every(([key, value]) => selector[key] === value)) return [];
  const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
  return [invalidShown('spec.nodeSelector', JSON.stringify(selector), why)];
}

const isGated = (spec: JsonObject) => listAt(spec, 'schedulingGates').length > 0;

/** Where the real server shows how its own structures differ, the fields that do are shown. */
function otherFaults(spec: JsonObject, before: JsonObject): FieldFault[] {
  const mutable = ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'];
  if (isGated(before)) mutable.push('affinity', 'nodeSelector');
  const fields = new Set([...Object.keys(before), ...Object.keys(spec)]);
  const changed = [...fields].filter((field) => {
    if (mutable.includes(field)) return false;
    return !isEqual(withoutImages(field, before[field]), withoutImages(field, spec[field]));
  });
  if (changed.length === 0) return [];
  const shown = (sign: string, field: string, value: Json | undefined) =>
    value === undefined ? [] : [`${sign} spec.${field}: ${JSON.stringify(value)}`];
  const lines = changed.flatMap((field) => [
    ...shown('-', field, before[field]),
    ...shown('+', field, spec[field]),
  ]);
  const why = `pod updates may not change fields other than ${changeable}`;
  return [forbiddenValue('spec', [why, ...lines].join('\n'))];
}

function withoutImages(field: string, value: Json | undefined): Json | undefined {
  if ((field !== 'containers' && field !== 'initContainers') || !Array.isArray(value)) return value;
  return value.map((container) => (isObject(container) ? { ...container, image: undefined } : container));
}
