import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFault, readManifest } from '../index.ts';

function pool(name: string, spec: string): string {
  return `apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

/** Per object its name, or its faults as a person reads them. */
function read(text: string): (string | string[])[] {
  return readManifest(text, 'pools.yaml').map((entry) =>
    entry.faults ? entry.faults.map(describeFault) : entry.object.metadata.name,
  );
}

test('every document of a text is read, and empty ones are nothing', () => {
  const text = `# none\n---\n${pool('a', '{cidr: 10.0.0.0/8}')}---\n---\n${pool('b', '{cidr: 11.0.0.0/8}')}`;
  assert.deepEqual(read(text), ['a', 'b']);
  assert.deepEqual(read(''), []);
  assert.deepEqual(
    readManifest(text, 'f').map(({ line }) => line),
    [3, 9],
  );
});

test('JSON is read, and a list stands for its items', () => {
  const item = (name: string) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name },
    spec: { cidr: '10.0.0.0/8' },
  });
  assert.deepEqual(read(JSON.stringify(item('a'), undefined, '\t')), ['a']);
  for (const kind of ['List', 'IPPoolList']) {
    assert.deepEqual(read(JSON.stringify({ apiVersion: 'v1', kind, items: [item('a'), item('b')] })), [
      'a',
      'b',
    ]);
  }
});

test('each fault names file, line, path, value and what would be right', () => {
  const text = pool('a', '\n  cidr: 10.0.0.300/8\n  allowedUses:\n  - Tunnel\n  - Pod\n  natOutgoin: true');
  assert.deepEqual(read(text), [
    [
      'pools.yaml:5: spec.cidr: "10.0.0.300/8" must be a CIDR, such as "10.0.0.0/8" or "fd00::/64"',
      'pools.yaml:8: spec.allowedUses[1]: "Pod" must be one of "Workload", "Tunnel", "LoadBalancer"',
      'pools.yaml:9: spec.natOutgoin is not a known field; did you mean "natOutgoing"?',
    ],
  ]);
});

test('booleans may be written as in YAML 1.1, and texts that look like those stay texts', () => {
  const [entry] = readManifest(pool('yes', '{cidr: 10.0.0.0/8, natOutgoing: yes, disabled: Off}'), 'f');
  assert.deepEqual(entry?.object?.metadata.name, 'yes');
  assert.deepEqual(entry?.object && Reflect.get(entry.object, 'spec'), {
    cidr: '10.0.0.0/8',
    natOutgoing: true,
    disabled: false,
  });
  assert.deepEqual(read(pool('a', '{cidr: 10.0.0.0/8, natOutgoing: "yes"}')), [
    ['pools.yaml:4: spec.natOutgoing: "yes" must be true or false'],
  ]);
});

test('what is missing is told at the object that lacks it', () => {
  const [entry] = readManifest(pool('a', '\n  natOutgoing: true'), 'f');
  const [fault] = entry?.faults ?? [];
  assert.deepEqual([fault?.path, fault?.line, fault?.column], ['spec.cidr', 4, 1]);
});

test('a fault in one object leaves the others', () => {
  assert.deepEqual(read(`${pool('a', '{}')}---\n${pool('b', '{cidr: 10.0.0.0/8}')}`), [
    ['pools.yaml:4: spec.cidr is required'],
    'b',
  ]);
});

test('a field reached through an alias is found where it is written', () => {
  const text = `- &a {apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: a}, spec: {cidr: 1}}\n- *a\n`;
  const list = `apiVersion: v1\nkind: List\nitems:\n${text}`;
  assert.deepEqual(read(list), [
    ['pools.yaml:4: spec.cidr: 1 must be a string'],
    ['pools.yaml:4: spec.cidr: 1 must be a string'],
  ]);
});

const refused: [what: string, text: string, message: RegExp][] = [
  ['broken YAML', 'a: [b\n', /^pools.yaml:2: is not YAML: /],
  ['a scalar', 'pool', /^pools.yaml:1: "pool" must be an object with apiVersion, kind and metadata$/],
  ['an object without a kind', 'metadata: {}', /^pools.yaml:1: kind is required$/],
  [
    'a misspelled kind',
    'kind: IPPol',
    /kind: "IPPol" must be one of Calico's kinds; did you mean "IPPool"\?/,
  ],
  ['a kind of others', 'kind: Deployment', /kind: "Deployment" must be one of Calico's kinds$/],
  [
    'another API version',
    'kind: IPPool\napiVersion: v1',
    /:2: apiVersion: "v1" must be "projectcalico.org\/v3"/,
  ],
  ['an object without metadata', pool('a', '{}').replace(/metadata.*\n/, ''), /metadata is required/],
  ['an alias of nothing', 'a: *b', /is not YAML: Unresolved alias/],
];
for (const [what, text, message] of refused) {
  test(`${what} is refused in a sentence`, () => {
    const [entry, ...rest] = read(text);
    assert.deepEqual(rest, []);
    assert.match(String(entry), message);
  });
}

test('an expansion of aliases beyond measure is a fault, not a hang', () => {
  const levels = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n}, `.repeat(9)}]\n`);
  assert.match(String(read(`a0: &a0 x\n${levels.join('')}`)[0]), /is not YAML: Excessive alias count/);
});
