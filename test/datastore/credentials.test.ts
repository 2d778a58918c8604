// A credential that a program prints, of a process that cannot start one now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execCredential } from '../../src/datastore/kubernetes/credentials.ts';
import { withoutDescriptors } from '../faults/descriptors.ts';

test('a program for which no file descriptor is left is told to whoever asks, and asked when there are some', async () => {
  const credential = execCredential({ command: '/bin/echo', args: ['{"status":{"token":"secret"}}'] });
  for (const spare of [0, 1, 3]) {
    const asked = withoutDescriptors(spare, () => credential.header());
    await assert.rejects(asked, { code: 'EMFILE' });
  }
  assert.equal(await credential.header(), 'Bearer secret');
});
