import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type KernelFeature, lackingFeatures } from '../../src/dataplane/index.ts';
import { Transaction } from '../../src/kernel/index.ts';

const shapes = () => readFileSync('/proc/net/dev', 'utf8').split('\n').length;

test('this kernel has what the dataplane needs, and asking leaves nothing behind', () => {
  const before = shapes();
  assert.deepEqual(lackingFeatures(), []);
  assert.equal(shapes(), before);
});

test('what the kernel refuses is lacking, and only that', () => {
  const refused: KernelFeature = {
    name: 'a chain that is not there',
    option: 'CONFIG_NONE',
    make: ({ nftables }) => {
      const transaction = new Transaction({ family: 'inet', name: 'nowhere' });
      transaction.addChain({ name: 'rules' });
      nftables.commit(transaction);
    },
  };
  const granted: KernelFeature = { name: 'nothing at all', option: 'CONFIG_ANY', make: () => {} };
  assert.deepEqual(lackingFeatures([refused, granted]), [refused]);
  const broken: KernelFeature = {
    ...granted,
    make: () => {
      throw new TypeError('ours, not the kernel’s');
    },
  };
  assert.throws(() => lackingFeatures([broken]), TypeError);
});
