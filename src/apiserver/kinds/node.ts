// v1 Node: roles and readiness for the table; the rest passes through.
import { tryParseCidr } from '../../net/index.ts';
import { isEqual, type KubeObject, listAt, stringAt, valueAt } from '../json.ts';
import { boolean, listByKey, openObject, setOf, strictObject, string } from '../schema/schema.ts';
import { forbiddenValue, invalidValue, unsupportedValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { ageColumn } from '../table/age.ts';
import { conditionList } from './conditions.ts';
import { builtIn, type Column } from './resource-type.ts';

const rolePrefix = 'node-role.kubernetes.io/';

export const nodeType = builtIn({
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  hasStatus: true,
  schema: strictObject({
    spec: openObject({
      podCIDR: string,
      podCIDRs: setOf(string),
      unschedulable: boolean,
      taints: { type: 'array', items: openObject({ key: string, value: string, effect: string }) },
    }),
    status: openObject({
      addresses: listByKey(['type', 'address'], openObject({ type: string, address: string })),
      conditions: conditionList,
    }),
  }),
  columns: [
    { name: 'Status', type: 'string', value: readiness },
    { name: 'Roles', type: 'string', value: roles },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      value: (node) => stringAt(node, 'status', 'nodeInfo', 'kubeletVersion'),
    },
    { name: 'Internal-IP', type: 'string', priority: 1, value: (node) => addressOf(node, 'InternalIP') },
    { name: 'External-IP', type: 'string', priority: 1, value: (node) => addressOf(node, 'ExternalIP') },
    infoColumn('OS-Image', 'osImage'),
    infoColumn('Kernel-Version', 'kernelVersion'),
    infoColumn('Container-Runtime', 'containerRuntimeVersion'),
  ],
  selectableFields: ['spec.unschedulable'],
  objectRules: nodeFaults,
});

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function nodeFaults(node: KubeObject, old: KubeObject | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  const ranges = rangesOf(node);
  for (const [index, range] of ranges.entries()) {
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    if (!tryParseCidr(range)) faults.push(invalidValue(`spec.podCIDRs[${index}]`, range, why));
  }
  for (const [index, taint] of listAt(node, 'spec', 'taints').entries()) {
    const effect = stringAt(taint, 'effect');
    if (taintEffects.includes(effect)) continue;
    faults.push(unsupportedValue(`metadata.taints[${index}].effect`, effect, taintEffects));
  }
  const before = old ? rangesOf(old) : [];
  if (before.length > 0 && !isEqual(before, ranges)) {
    const why = 'node updates may not change podCIDR except from "" to valid';
    faults.push(forbiddenValue('spec.podCIDRs', why));
  }
  return faults;
}

function rangesOf(node: KubeObject): string[] {
  const ranges = listAt(node, 'spec', 'podCIDRs').map(String);
  const single = stringAt(node, 'spec', 'podCIDR');
  return ranges.length === 0 && single !== '' ? [single] : ranges;
}

function readiness(node: KubeObject): string {
  const ready = listAt(node, 'status', 'conditions').find((one) => stringAt(one, 'type') === 'Ready');
  const words = [ready ? (stringAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (valueAt(node, 'spec', 'unschedulable') === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function roles(node: KubeObject): string {
  const names = Object.keys(node.metadata.labels ?? {}).filter((label) => label.startsWith(rolePrefix));
  return (
    names
      .map((label) => label.slice(rolePrefix.length))
      .sort()
      .join(',') || '<none>'
  );
}

function addressOf(node: KubeObject, type: string): string {
  const found = listAt(node, 'status', 'addresses').find((one) => stringAt(one, 'type') === type);
  return stringAt(found, 'address') || '<none>';
}

function infoColumn(name: string, field: string): Column {
  return {
    name,
    type: 'string',
    priority: 1,
    value: (node) => stringAt(node, 'status', 'nodeInfo', field) || '<unknown>',
  };
}
