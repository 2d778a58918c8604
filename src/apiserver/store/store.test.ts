import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from './store.ts';

const object = (name: string) => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name } });

test('history that was dropped is not known any more, what was kept is', () => {
  const store = new Store(':memory:', 4);
  const start = store.revision;
  for (let count = 0; count < 6; count++) store.put('things', object('a'));
  assert.equal(store.since('things', start), undefined);
  assert.deepEqual(
    store.since('things', store.revision - 2)?.map((event) => event.revision),
    [store.revision - 1, store.revision],
  );
  store.close();
});

test('the history of one collection does not tell of another', () => {
  const store = new Store(':memory:');
  const start = store.revision;
  store.put('things', object('a'));
  store.put('others', object('a'));
  assert.equal(store.since('things', start)?.length, 1);
  store.close();
});

test('a list stays as it was when objects change later', () => {
  const store = new Store(':memory:');
  store.put('things', object('b'));
  const before = store.list('things');
  store.put('things', object('a'));
  assert.deepEqual(
    [before, store.list('things')].map((list) => list.map((one) => one.metadata.name)),
    [['b'], ['a', 'b']],
  );
  store.close();
});
