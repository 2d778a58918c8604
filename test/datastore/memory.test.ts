import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore, NotFoundError, UnavailableError } from '../../src/datastore/index.ts';
import { type IPPool, ipPools } from '../../src/resources/index.ts';
import { runDatastoreCases } from './cases.ts';

const store = new MemoryDatastore();
runDatastoreCases('in memory', () => store);

const pool: IPPool = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name: 'p' },
  spec: { cidr: '10.0.0.0/16' },
};

test('a request that fails before it arrives changes nothing', async () => {
  const failing = new MemoryDatastore({
    before({ verb }) {
      if (verb === 'create') throw new UnavailableError('Cannot connect');
    },
  });
  await assert.rejects(failing.create(ipPools, pool), UnavailableError);
  await assert.rejects(failing.get(ipPools, { name: 'p' }), NotFoundError);
});

test('a request whose reply is lost was done', async () => {
  const failing = new MemoryDatastore({
    after({ verb }) {
      if (verb === 'create') throw new UnavailableError('The reply was lost');
    },
  });
  await assert.rejects(failing.create(ipPools, pool), UnavailableError);
  assert.equal((await failing.get(ipPools, { name: 'p' })).spec.cidr, '10.0.0.0/16');
});

test('whoever changes an object that was handed out is stopped', async () => {
  const created = await new MemoryDatastore().create(ipPools, pool);
  assert.throws(() => {
    created.spec.disabled = true;
  }, TypeError);
});
