import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { calicoKinds, findKind, toCrd } from './index.ts';

/** Calico's published kinds, tab-separated: names, scope, subresources, selectable fields, columns. */
const facts = readFileSync(join(import.meta.dirname, '../../test/data/crd-kinds.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));

interface Version {
  subresources?: object;
  selectableFields?: { jsonPath: string }[];
  additionalPrinterColumns?: { name: string; jsonPath: string }[];
}

test('every published kind is there, and no other', () => {
  const kinds = calicoKinds.map(({ kind }) => kind);
  assert.deepEqual([...kinds].sort(), facts.map(([kind]) => kind).sort());
  assert.equal(new Set(kinds).size, kinds.length);
});

for (const fact of facts) {
  const [name = '', group, version, scope, plural, shortNames, subresources, selectable, columns] = fact;
  test(`the CRD of ${name} has the published names, scope, subresources, selectable fields and columns`, () => {
    const kind = findKind(name);
    assert.ok(kind);
    const { metadata, spec } = toCrd(kind);
    const [served] = spec.versions as Version[];
    assert.deepEqual(
      [
        spec.names.kind,
        spec.group,
        kind.version,
        spec.scope,
        spec.names.plural,
        spec.names.shortNames?.join(',') ?? '',
        Object.keys(served?.subresources ?? {}).join(','),
        served?.selectableFields?.map(({ jsonPath }) => jsonPath).join(',') ?? '',
        served?.additionalPrinterColumns?.map((column) => `${column.name}=${column.jsonPath}`).join('; ') ??
          '',
      ],
      [name, group, version, scope, plural, shortNames, subresources, selectable, columns ?? ''],
    );
    assert.equal(metadata.name, `${plural}.${group}`);
  });
}

test('a kind is found by its name, plural, short names and aliases, in any case', () => {
  for (const name of ['IPPool', 'ippools', 'ippool', 'IPP', 'pool']) {
    assert.equal(findKind(name)?.kind, 'IPPool', name);
  }
  assert.equal(findKind('gnp')?.kind, 'GlobalNetworkPolicy');
  assert.equal(findKind('deployment'), undefined);
});

test('no two kinds share a name', () => {
  const names = calicoKinds.flatMap((kind) => [
    kind.kind.toLowerCase(),
    kind.plural,
    ...(kind.shortNames ?? []),
    ...(kind.aliases ?? []),
  ]);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
