import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotFoundError, UnavailableError } from '../datastore/index.ts';
import { createLogger } from '../process/index.ts';
import { untilAvailable } from './until-available.ts';

const options = { log: createLogger('test', 'silent'), signal: new AbortController().signal };

test('what needs the datastore is tried until that answers', async () => {
  let calls = 0;
  const answer = await untilAvailable(async () => {
    if (++calls < 3) throw new UnavailableError('nobody is there');
    return 'here';
  }, options);
  assert.deepEqual([answer, calls], ['here', 3]);
});

test('what the datastore says no to is not tried again', async () => {
  const refused = async () => {
    throw new NotFoundError('no such kind');
  };
  await assert.rejects(untilAvailable(refused, options), /no such kind/);
});

test('who gives up waits no longer', async () => {
  const ending = new AbortController();
  const away = async () => {
    ending.abort();
    throw new UnavailableError('nobody is there');
  };
  await assert.rejects(untilAvailable(away, { ...options, signal: ending.signal }), { name: 'AbortError' });
});
