import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  crds,
  felixConfigurations,
  ipPools,
  type Resource,
  type ResourceKind,
  validate,
} from '../../resources/index.ts';
import { type Json, type JsonObject, listAt, objectAt } from '../json.ts';
import { applyDefaults } from '../schema/default.ts';
import type { Schema } from '../schema/schema.ts';
import { validateSchema } from '../schema/validate.ts';
import { compileRules, type RuleNode } from './rule-tree.ts';
import { validateRules } from './validate.ts';

/** The schema that a definition brings along, as it arrives in JSON. */
const schemas = new Map(
  (JSON.parse(JSON.stringify(crds())) as JsonObject[]).map((definition) => {
    const [version = null] = listAt(definition, 'spec', 'versions');
    return [
      String(objectAt(definition, 'spec', 'names').kind),
      objectAt(version, 'schema').openAPIV3Schema as Schema,
    ];
  }),
);

function schemaOf(kind: string): Schema {
  const schema = schemas.get(kind);
  assert.ok(schema, `there is a definition of ${kind}`);
  return schema;
}

function rulesOf(kind: string): RuleNode {
  const { root, faults } = compileRules(schemaOf(kind), kind);
  assert.deepEqual(faults, []);
  assert.ok(root, `${kind} has rules`);
  return root;
}

/** The object as the rules see it: with defaults. */
function stored(kind: string, spec: JsonObject): JsonObject {
  const object = { metadata: { name: 'x' }, spec: structuredClone(spec) };
  applyDefaults(schemaOf(kind), object);
  assert.deepEqual(validateSchema(schemaOf(kind), object), [], 'the schema alone has no complaint');
  return object;
}

interface Case {
  readonly kind: string;
  readonly spec: JsonObject;
  readonly old?: JsonObject;
  /** Of the only rule that it breaks, behind "Invalid value". */
  readonly breaks: string;
}

const pool = (spec: JsonObject, breaks: string): Case => ({
  kind: 'IPPool',
  spec,
  breaks: `spec: "object": ${breaks}`,
});
const v4 = '10.0.0.0/16';
const v6 = 'fd00::/64';
const orphaned = '"string": cannot be changed: addresses drawn under the old value would be orphaned';

const cases: readonly Case[] = [
  pool({ cidr: '10.0.0.1/16' }, 'must not have address bits beyond the prefix in cidr'),
  pool({ cidr: '169.254.3.0/24' }, 'must not overlap the link-local range 169.254.0.0/16'),
  pool({ cidr: '169.0.0.0/8' }, 'must not overlap the link-local range 169.254.0.0/16'),
  pool({ cidr: 'fe80:1::/64' }, 'must not overlap the link-local range fe80::/10'),
  pool({ cidr: 'fe00::/8' }, 'must not overlap the link-local range fe80::/10'),
  pool(
    { cidr: '10.0.0.0/27' },
    'must not be smaller than one of its blocks: the prefix length of cidr must not exceed blockSize',
  ),
  pool(
    { cidr: '10.0.0.0/24', blockSize: 22 },
    'must not be smaller than one of its blocks: the prefix length of cidr must not exceed blockSize',
  ),
  pool(
    { cidr: 'fd00::/123' },
    'must not be smaller than one of its blocks: the prefix length of cidr must not exceed blockSize',
  ),
  pool({ cidr: v4, blockSize: 19 }, 'needs a blockSize of 20 to 32 for IPv4'),
  pool({ cidr: v4, blockSize: 33 }, 'needs a blockSize of 20 to 32 for IPv4'),
  pool({ cidr: v6, blockSize: 115 }, 'needs a blockSize of 116 to 128 for IPv6'),
  pool(
    { cidr: v4, ipipMode: 'Always', vxlanMode: 'CrossSubnet' },
    'cannot use ipipMode and vxlanMode at once',
  ),
  pool({ cidr: v6, ipipMode: 'Always' }, 'cannot use ipipMode with IPv6'),
  pool(
    { cidr: v4, allowedUses: ['LoadBalancer'], nodeSelector: "rack == '1'" },
    'must keep nodeSelector at "all()" when it serves load balancers',
  ),
  pool(
    { cidr: v4, allowedUses: ['LoadBalancer'], vxlanMode: 'Always' },
    'cannot use ipipMode or vxlanMode when it serves load balancers',
  ),
  pool(
    { cidr: v4, allowedUses: ['LoadBalancer'], disableBGPExport: true },
    'cannot set disableBGPExport when it serves load balancers',
  ),
  pool(
    { cidr: v4, allowedUses: ['Workload', 'LoadBalancer'] },
    'cannot serve load balancers and anything else in allowedUses',
  ),
  pool(
    { cidr: v4, allowedUses: ['Tunnel'], namespaceSelector: "team == 'a'" },
    'cannot have a namespaceSelector while allowedUses lists "Tunnel": tunnels have no namespace',
  ),
  pool({ cidr: v4, nodeSelector: 'global()' }, 'cannot use global() in a selector'),
  pool({ cidr: v4, namespaceSelector: "a == 'b' || global()" }, 'cannot use global() in a selector'),
  { kind: 'IPPool', old: { cidr: '10.1.0.0/16' }, spec: { cidr: v4 }, breaks: `spec.cidr: ${orphaned}` },
  {
    kind: 'IPPool',
    old: { cidr: v4, blockSize: 26 },
    spec: { cidr: v4, blockSize: 27 },
    breaks: `spec.blockSize: ${orphaned.replace('string', 'integer')}`,
  },
  {
    kind: 'FelixConfiguration',
    spec: { routeTableRange: { min: 1, max: 9 }, routeTableRanges: [{ min: 1, max: 9 }] },
    breaks: 'spec: "object": cannot have both routeTableRange and routeTableRanges',
  },
  {
    kind: 'FelixConfiguration',
    spec: { routeTableRange: { min: 0, max: 9 } },
    breaks: 'spec.routeTableRange: "object": must run from min to max, both at least 1',
  },
  {
    kind: 'FelixConfiguration',
    spec: {
      routeTableRanges: [
        { min: 1, max: 9 },
        { min: 9, max: 8 },
      ],
    },
    breaks: 'spec.routeTableRanges[1]: "object": must run from min to max, both at least 1',
  },
];

for (const { kind, spec, old, breaks } of cases) {
  const change = old ? `${JSON.stringify(old)} made ${JSON.stringify(spec)}` : JSON.stringify(spec);
  test(`the ${kind} ${change} breaks exactly one rule`, () => {
    const faults = validateRules(rulesOf(kind), stored(kind, spec), old && stored(kind, old));
    const said = faults.map(({ field, message }) => `${field}: ${message.replace('Invalid value: ', '')}`);
    assert.deepEqual(said, [breaks]);
  });
}

const good: readonly (readonly [kind: string, spec: JsonObject])[] = [
  ['IPPool', { cidr: v4, blockSize: 26, vxlanMode: 'Always', natOutgoing: true }],
  ['IPPool', { cidr: v6, blockSize: 122, vxlanMode: 'CrossSubnet', ipipMode: 'Never' }],
  ['IPPool', { cidr: '10.0.0.0/26' }],
  ['IPPool', { cidr: v4, allowedUses: ['LoadBalancer'], nodeSelector: 'all()', vxlanMode: 'Never' }],
  [
    'IPPool',
    { cidr: v4, allowedUses: ['Workload', 'Tunnel'], nodeSelector: 'has(rack)', disableBGPExport: true },
  ],
  ['IPPool', { cidr: v4, allowedUses: ['Workload'], namespaceSelector: "team == 'a'" }],
  ['FelixConfiguration', { routeTableRanges: [{ min: 1, max: 9 }] }],
  ['FelixConfiguration', {}],
];

for (const [kind, spec] of good) {
  test(`the ${kind} ${JSON.stringify(spec)} breaks no rule`, () => {
    assert.deepEqual(validateRules(rulesOf(kind), stored(kind, spec), undefined), []);
    assert.deepEqual(validateRules(rulesOf(kind), stored(kind, spec), stored(kind, spec)), []);
  });
}

test('the cases above break every rule of IPPool', () => {
  const broken = new Set(cases.map(({ breaks }) => breaks.replace(/^[^"]*"[^"]*": /, '')));
  const messages = messagesIn(schemaOf('IPPool'));
  assert.ok(messages.length > 0);
  assert.deepEqual(
    messages.filter((message) => !broken.has(message)),
    [],
  );
});

test('our own validator says the same as the rules', () => {
  const kinds = new Map<string, ResourceKind>([
    ['IPPool', ipPools],
    ['FelixConfiguration', felixConfigurations],
  ]);
  for (const { kind, spec, old, breaks } of cases) {
    const described = kinds.get(kind);
    assert.ok(described);
    const resource = (part: JsonObject): Resource => ({
      ...stored(kind, part),
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: { name: 'x' },
    });
    const faults = validate(described, resource(spec), old && resource(old));
    assert.deepEqual(
      faults.map(({ path, message }) => `${path}: ${message}`),
      [breaks.replace(/"[^"]*": /, '')],
    );
  }
});

for (const [kind, schema] of schemas) {
  test(`the rules of ${kind} compile`, () => {
    assert.deepEqual(compileRules(schema, kind).faults, []);
  });
}

function messagesIn(schema: Json | Schema): string[] {
  if (Array.isArray(schema)) return schema.flatMap(messagesIn);
  if (typeof schema !== 'object' || schema === null) return [];
  const { 'x-kubernetes-validations': rules = [], ...rest } = schema as Schema;
  return [
    ...rules.map(({ message = '' }) => message),
    ...Object.values(rest).flatMap((one) => messagesIn(one as Json)),
  ];
}
