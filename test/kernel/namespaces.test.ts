import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import {
  createNamespace,
  deleteNamespace,
  inNamespace,
  namespacePath,
  ownNamespace,
  readSysctl,
  writeSysctls,
} from '../../src/kernel/index.ts';
import { ip, testNamespace } from './test-namespaces.ts';

const identity = () => readlinkSync('/proc/thread-self/ns/net');
const one = testNamespace('one');
const two = testNamespace('two');

test('a namespace is entered, nested, and left again, also when the action fails', () => {
  const home = identity();
  const inOne = inNamespace(one.fd, identity);
  assert.notEqual(inOne, home);
  inNamespace(one.fd, () => {
    assert.notEqual(inNamespace(two.fd, identity), inOne);
    assert.equal(inNamespace(ownNamespace(), identity), home);
    assert.equal(identity(), inOne);
  });
  assert.throws(() =>
    inNamespace(one.fd, () => {
      throw new Error('as the test wants');
    }),
  );
  assert.equal(identity(), home);
});

test('a child process is in the namespace where it was started', () => {
  const child = inNamespace(one.fd, () => spawnSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }));
  assert.equal(child.stdout.trim(), inNamespace(one.fd, identity));
});

test('settings are written and read in one namespace and leave others alone', () => {
  writeSysctls(one.fd, { 'net/ipv4/ip_forward': 1, 'net/ipv4/conf/all/proxy_arp': '1' });
  writeSysctls(two.fd, { 'net/ipv4/ip_forward': 0 });
  assert.equal(readSysctl(one.fd, 'net/ipv4/ip_forward'), '1');
  assert.equal(readSysctl(one.fd, 'net/ipv4/conf/all/proxy_arp'), '1');
  assert.equal(readSysctl(two.fd, 'net/ipv4/ip_forward'), '0');
});

test('a setting that does not exist is told by its path', () => {
  assert.throws(() => readSysctl(one.fd, 'net/ipv4/conf/none/forwarding'), { code: 'ENOENT' });
  assert.throws(() => readSysctl(one.fd, 'net/../../passwd'), /is not the key of a network setting/);
});

test('a named namespace is one that ip knows too', () => {
  assert.match(ip(one, 'link', 'show'), /LOOPBACK/);
});

test('a name that is taken is refused, and deleting one that is not there is no error', () => {
  assert.throws(() => createNamespace(one.name), { code: 'EEXIST' });
  const name = `${one.name}-brief`;
  createNamespace(name);
  deleteNamespace(name);
  deleteNamespace(name);
  assert.equal(existsSync(namespacePath(name)), false);
});

test('a descriptor that is no namespace cannot be entered', () => {
  assert.throws(() => inNamespace(0, identity), /Cannot enter the network namespace of descriptor 0: EINVAL/);
});
