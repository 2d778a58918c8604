import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDatastore } from '../datastore/index.ts';
import { createLogger } from '../process/index.ts';
import { type CalicoNodeStatus, calicoNodeStatuses } from '../resources/index.ts';
import { NodeStatusReporter } from './node-status.ts';

test('a request with a period that timers cannot count is not answered all the time', async () => {
  const datastore = new MemoryDatastore();
  const answers: string[] = [];
  const isAnswered = Promise.withResolvers<void>();
  datastore.interference = {
    after: ({ verb, key }) => {
      if (verb !== 'mergePatch') return;
      answers.push(key?.name ?? '');
      if (answers.filter((name) => name === 'second').length === 2) isAnswered.resolve();
    },
  };
  const request = (name: string, updatePeriodSeconds: number): CalicoNodeStatus => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'CalicoNodeStatus',
    metadata: { name },
    spec: { node: 'n', classes: ['Agent'], updatePeriodSeconds },
  });
  const reporter = new NodeStatusReporter({
    node: 'n',
    datastore,
    socketPath: '/nonexistent/bird.ctl',
    log: createLogger('test', 'silent'),
  });
  await datastore.create(calicoNodeStatuses, request('rare', 2_147_484));
  reporter.start();
  await datastore.create(calicoNodeStatuses, request('second', 1));
  await isAnswered.promise;
  reporter.stop();
  assert.deepEqual(
    answers.filter((name) => name === 'rare'),
    ['rare'],
  );
});
