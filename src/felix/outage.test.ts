import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outage } from './outage.ts';

test('an outage is half over from the first kind that is heard again until all are in step, and stay so', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ended = 0;
  const outage = new Outage(() => ended++);
  outage.note('pods', 'behind');
  outage.note('policies', 'behind');
  assert.equal(outage.isHalfOver, false);
  outage.note('policies', 'catching up');
  assert.equal(outage.isHalfOver, true);
  outage.note('policies', 'in step');
  assert.equal(outage.isHalfOver, true);
  outage.note('pods', 'catching up');
  assert.deepEqual([outage.isHalfOver, ended], [true, 0]);
  outage.note('pods', 'in step');
  assert.deepEqual([outage.isHalfOver, ended], [true, 0]);
  t.mock.timers.tick(200);
  assert.deepEqual([outage.isHalfOver, ended], [false, 1]);
});

test('a kind that is quick to be in step again waits for those that have not lost touch yet', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ended = 0;
  const outage = new Outage(() => ended++);
  for (const progress of ['behind', 'catching up', 'in step'] as const) outage.note('policies', progress);
  t.mock.timers.tick(150);
  outage.note('pods', 'behind');
  t.mock.timers.tick(5_000);
  assert.deepEqual([outage.isHalfOver, ended], [true, 0]);
  outage.note('pods', 'in step');
  t.mock.timers.tick(200);
  assert.deepEqual([outage.isHalfOver, ended], [false, 1]);
});

test('a kind that stays behind holds the others up once, for a while', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ended = 0;
  const outage = new Outage(() => ended++);
  outage.note('pods', 'behind');
  outage.note('policies', 'behind');
  outage.note('policies', 'in step');
  t.mock.timers.tick(60_000);
  assert.deepEqual([outage.isHalfOver, ended], [false, 1]);
  outage.note('policies', 'behind');
  outage.note('policies', 'in step');
  assert.equal(outage.isHalfOver, false);
  outage.note('pods', 'in step');
  t.mock.timers.tick(200);
  outage.note('pods', 'behind');
  outage.note('policies', 'behind');
  outage.note('pods', 'catching up');
  assert.equal(outage.isHalfOver, true);
  outage.stop();
});
