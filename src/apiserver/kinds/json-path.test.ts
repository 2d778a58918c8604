import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileJsonPath } from './json-path.ts';

const object = {
  metadata: { labels: { 'example.com/role': 'web' } },
  spec: {
    names: ['first', 'second'],
    rules: [
      { kind: 'a', on: true },
      { kind: 'b', on: false },
    ],
  },
};

const cases: readonly (readonly [path: string, value: unknown])[] = [
  ['.spec.names[1]', 'second'],
  ['.spec.names[*]', 'first'],
  ['.spec.rules[?(@.kind=="b")].on', false],
  [".spec.rules[?(@.kind!='b')].on", true],
  ['.spec.rules[?(@.on==true)].kind', 'a'],
  ['.metadata.labels.example\\.com/role', 'web'],
  [".metadata.labels['example.com/role']", 'web'],
  ['.spec.absent.deeper', undefined],
];

for (const [path, value] of cases) {
  test(`${path} reads ${JSON.stringify(value) ?? 'nothing'}`, () => {
    assert.deepEqual(compileJsonPath(path)(object), value);
  });
}

test('a path that is not of the subset is refused with the place where it fails', () => {
  assert.throws(() => compileJsonPath('.spec[1:2]'), /from character 6 on/);
});
