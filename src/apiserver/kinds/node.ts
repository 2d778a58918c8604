// v1 Node: roles and readiness for the table; the rest passes through.
import { type KubeObject, listAt, stringAt, valueAt } from '../json.ts';
import { boolean, listByKey, openObject, setOf, string } from '../schema/schema.ts';
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
  schema: openObject({
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
});

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
