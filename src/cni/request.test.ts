import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CniError } from './errors.ts';
import { readRequest } from './request.ts';

const environment = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c0ffee',
  CNI_NETNS: '/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=web-0;K8S_POD_UID=u-1',
};
const configuration = {
  cniVersion: '1.0.0',
  name: 'k8s-pod-network',
  type: 'calico',
  ipam: { type: 'calico-ipam' },
};
const request = (changes: object = {}, variables: Record<string, string> = {}) => ({
  environment: { ...environment, ...variables },
  stdin: JSON.stringify({ ...configuration, ...changes }),
});

test('a request says which pod, which container and which network', () => {
  const { command, containerId, pod, configuration: read } = readRequest(request());
  assert.deepEqual(
    [command, containerId, pod],
    ['ADD', 'c0ffee', { namespace: 'test', name: 'web-0', uid: 'u-1' }],
  );
  assert.deepEqual(read, {
    cniVersion: '1.0.0',
    name: 'k8s-pod-network',
    mtu: undefined,
    assignIPv4: true,
    assignIPv6: false,
    ipv4Pools: [],
    ipv6Pools: [],
    allowIpForwarding: false,
  });
});

test("upstream's booleans in quotes are booleans", () => {
  const { configuration: read } = readRequest(
    request({ ipam: { type: 'calico-ipam', assign_ipv4: 'false', assign_ipv6: 'true' } }),
  );
  assert.deepEqual([read.assignIPv4, read.assignIPv6], [false, true]);
});

test('DEL needs no namespace, because it may be gone', () => {
  assert.equal(readRequest(request({}, { CNI_COMMAND: 'DEL', CNI_NETNS: '' })).namespacePath, '');
});

for (const [what, asked, code, message] of [
  ['an unknown version', request({ cniVersion: '9.9.9' }), 1, /"9.9.9" is not one of 0.1.0, 0.2.0/],
  ['no command', request({}, { CNI_COMMAND: '' }), 4, /CNI_COMMAND is ""/],
  ['an unknown command', request({}, { CNI_COMMAND: 'DANCE' }), 4, /CNI_COMMAND is "DANCE"/],
  ['no container', request({}, { CNI_CONTAINERID: '' }), 4, /CNI_CONTAINERID is missing/],
  ['a container that is a path', request({}, { CNI_CONTAINERID: '../x' }), 4, /CNI_CONTAINERID is "..\/x"/],
  ['an interface name that is too long', request({}, { CNI_IFNAME: 'x'.repeat(16) }), 4, /CNI_IFNAME/],
  ['an interface name with a slash', request({}, { CNI_IFNAME: 'a/b' }), 4, /CNI_IFNAME/],
  ['ADD without a namespace', request({}, { CNI_NETNS: '' }), 4, /CNI_NETNS is missing/],
  ['no pod', request({}, { CNI_ARGS: 'IgnoreUnknown=1' }), 4, /K8S_POD_NAMESPACE/],
  ['a configuration that is not JSON', { environment, stdin: '{' }, 6, /is not JSON/],
  ['a configuration that is a list', { environment, stdin: '[]' }, 7, /is not an object/],
  ['a network without a name', request({ name: '' }), 7, /"name" is ""/],
  ['a negative MTU', request({ mtu: -1 }), 7, /"mtu" is -1/],
  ["another plugin's addresses", request({ ipam: { type: 'host-local' } }), 7, /"ipam.type" is "host-local"/],
  ['a boolean that is none', request({ ipam: { assign_ipv4: 'maybe' } }), 7, /"ipam.assign_ipv4" is "maybe"/],
  ['pools that are no list', request({ ipam: { ipv4_pools: 'a' } }), 7, /"ipam.ipv4_pools" is not a list/],
] as const) {
  test(`${what} is refused with code ${code}`, () => {
    assert.throws(
      () => readRequest(asked),
      (error) => error instanceof CniError && error.code === code && message.test(error.message),
    );
  });
}
