// Holds what calicoctl says of kinds without loading their schemas to what the schemas say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { calicoKinds, findKind } from '../../resources/index.ts';
import { version } from '../version.ts';
import { findPrintedKind } from './find-kind.ts';
import { printedKinds } from './kinds.ts';

test('every kind of Calico is known here by its group, version, plural and scope', () => {
  const here = new Map(printedKinds.map((kind) => [kind.kind, kind]));
  for (const { kind, group, version, plural, namespaced } of calicoKinds) {
    const known = here.get(kind);
    assert.deepEqual(
      known && {
        group: known.group,
        version: known.version,
        plural: known.plural,
        namespaced: known.namespaced,
      },
      { group, version, plural, namespaced },
      kind,
    );
  }
});

test('every short name of a kind leads to that kind', () => {
  for (const kind of calicoKinds) {
    for (const name of [kind.kind, kind.plural, ...(kind.shortNames ?? []), ...(kind.aliases ?? [])]) {
      assert.equal(findPrintedKind(name).kind, kind.kind, name);
    }
  }
});

test('no name leads to another kind here than for the rest of the programs', () => {
  for (const kind of printedKinds) {
    for (const alias of kind.aliases) {
      const theirs = findKind(alias)?.kind;
      if (theirs !== undefined) assert.equal(theirs, kind.kind, alias);
    }
  }
});

test('no two kinds share a name', () => {
  const names = printedKinds.flatMap(({ kind, plural, aliases }) => [
    ...new Set([kind.toLowerCase(), plural, ...aliases]),
  ]);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

test('a kind is found in any case, and with its group', () => {
  assert.equal(findPrintedKind('IpPools').kind, 'IPPool');
  assert.equal(findPrintedKind('ippools.projectcalico.org').kind, 'IPPool');
  assert.throws(() => findPrintedKind('ipol'), {
    message: /^"ipol" is not a kind of resource; the kinds are BGP/,
  });
});

test('every column of the tables is one of the kind', () => {
  for (const { kind, ordinary, wide, headings } of printedKinds) {
    const known = headings.map(({ heading }) => heading);
    for (const heading of [...ordinary, ...wide]) assert.ok(known.includes(heading), `${kind}: ${heading}`);
  }
});

test('the version is that of the package', () => {
  const file = join(import.meta.dirname, '..', '..', '..', 'package.json');
  assert.equal(version, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version);
});
