import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSelector } from '../selector/index.ts';
import { AddressSets } from './address-sets.ts';
import { LabelSet } from './label-set.ts';

const source = { selector: parseSelector('app == "web"') };
const web = new LabelSet([new Map([['app', 'web']])]);

/** A set that has been told of, with these members and networks. */
function told(...names: readonly string[]): { sets: AddressSets; id: string } {
  const sets = new AddressSets();
  const id = sets.acquire(source);
  for (const name of names)
    sets.setContributor(name, { addresses: [`10.0.0.${name}`], ports: [], nets: [`10.${name}.0.0/16`] }, web);
  sets.takeChanges();
  return { sets, id };
}

test('a set that is let go and wanted again at once tells of members that have left it meanwhile', () => {
  const { sets, id } = told('1', '2');
  sets.release(id);
  sets.deleteContributor('1');
  assert.equal(sets.acquire(source), id);
  assert.deepEqual(sets.takeChanges().get(id), { added: [], removed: ['10.0.0.1'], netsChanged: true });
});

test('and of none when all is as it was, however often', () => {
  const { sets, id } = told('1');
  for (let n = 0; n < 2; n++) {
    sets.release(id);
    sets.acquire(source);
  }
  assert.deepEqual(sets.takeChanges().get(id), { added: [], removed: [], netsChanged: false });
});

test('what had changed before it was let go is told of, too', () => {
  const { sets, id } = told('1', '2');
  sets.deleteContributor('1');
  sets.setContributor('3', { addresses: ['10.0.0.3'], ports: [] }, web);
  sets.release(id);
  sets.acquire(source);
  sets.deleteContributor('2');
  assert.deepEqual(sets.takeChanges().get(id), {
    added: ['10.0.0.3'],
    removed: ['10.0.0.1', '10.0.0.2'],
    netsChanged: true,
  });
});

test('a set that has gone for good is made anew', () => {
  const { sets, id } = told('1');
  sets.release(id);
  assert.deepEqual(sets.takeChanges().get(id), { added: [], removed: [], netsChanged: true });
  sets.acquire(source);
  assert.deepEqual(sets.takeChanges().get(id), { added: ['10.0.0.1'], removed: [], netsChanged: true });
});
