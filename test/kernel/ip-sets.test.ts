import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { IpSets } from '../../src/kernel/index.ts';
import { type TestNamespace, testNamespace } from './test-namespaces.ts';

function inside(namespace: TestNamespace, command: string, args: readonly string[], input = ''): string {
  return execFileSync('nsenter', [`--net=/run/netns/${namespace.name}`, command, ...args], {
    input,
    encoding: 'utf8',
  });
}

const names = (namespace: TestNamespace) =>
  inside(namespace, 'ipset', ['list', '-name']).split('\n').filter(Boolean).toSorted();

test('IP sets of every type are listed by name, and destroyed one by one', () => {
  const namespace = testNamespace('ip-sets');
  using sets = IpSets.open({ namespace: namespace.fd });
  assert.deepEqual(sets.names(), []);
  const made = Array.from({ length: 100 }, (_, n) => `cali40s:${String(n).padStart(3, '0')}`);
  const input = [
    ...made.map((name) => `create ${name} hash:net family inet maxelem 1048576`),
    'create cali60all-ipam-pools hash:net family inet6',
    'create ports bitmap:port range 0-65535',
    'add cali40s:000 10.0.0.0/8',
    'add ports 80',
    '',
  ];
  inside(namespace, 'ipset', ['restore'], input.join('\n'));
  assert.deepEqual(sets.names().toSorted(), [...made, 'cali60all-ipam-pools', 'ports']);
  assert.deepEqual(sets.names().toSorted(), names(namespace));
  for (const name of [...made, 'cali60all-ipam-pools']) assert.equal(sets.destroy(name), true);
  assert.deepEqual(names(namespace), ['ports']);
  assert.equal(sets.destroy('cali40s:000'), true, 'it is gone already');
});

test('an IP set that a rule or another set uses stays', () => {
  const namespace = testNamespace('used-sets');
  using sets = IpSets.open({ namespace: namespace.fd });
  inside(
    namespace,
    'ipset',
    ['restore'],
    'create a hash:ip\ncreate b hash:ip\ncreate both list:set\nadd both b\n',
  );
  const rule = ['FORWARD', '-m', 'set', '--match-set', 'a', 'src', '-j', 'DROP'];
  inside(namespace, 'iptables-legacy', ['-A', ...rule]);
  assert.deepEqual(
    ['a', 'b'].map((name) => sets.destroy(name)),
    [false, false],
  );
  inside(namespace, 'iptables-legacy', ['-D', ...rule]);
  assert.deepEqual(
    ['a', 'both', 'b'].map((name) => sets.destroy(name)),
    [true, true, true],
  );
  assert.deepEqual(names(namespace), []);
});
