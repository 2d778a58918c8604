import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CniError } from './errors.ts';
import { type AttachmentRequest, readRequest } from './request.ts';

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

function read(asked: ReturnType<typeof request>): AttachmentRequest {
  const result = readRequest(asked);
  assert.ok(result.command === 'ADD' || result.command === 'DEL' || result.command === 'CHECK');
  return result;
}

test('a request says which pod, which container and which network', () => {
  const { command, containerId, pod, configuration: network } = read(request());
  assert.deepEqual(
    [command, containerId, pod, network.name],
    ['ADD', 'c0ffee', { namespace: 'test', name: 'web-0', uid: 'u-1' }, 'k8s-pod-network'],
  );
});

test('the runtime may ask for an address', () => {
  const args = (text: string) => request({}, { CNI_ARGS: `K8S_POD_NAMESPACE=a;K8S_POD_NAME=b;${text}` });
  assert.equal(read(args('IP=10.0.0.7')).wantedAddress, '10.0.0.7');
  assert.equal(read(args('IP=')).wantedAddress, undefined);
  assert.throws(
    () => read(args('IP=10.0.0.x')),
    (error) => error instanceof CniError && error.code === 4 && /IP="10\.0\.0\.x"/.test(error.message),
  );
});

test('DEL needs no namespace, because it may be gone', () => {
  assert.equal(read(request({}, { CNI_COMMAND: 'DEL', CNI_NETNS: '' })).namespacePath, '');
});

test('DEL needs no pod, because a container says enough', () => {
  assert.equal(read(request({}, { CNI_COMMAND: 'DEL', CNI_ARGS: '' })).pod, undefined);
});

test('GC without a list knows no garbage', () => {
  const asked = readRequest(request({ cniVersion: '1.1.0' }, { CNI_COMMAND: 'GC' }));
  assert.ok(asked.command === 'GC');
  assert.equal(asked.valid, undefined);
});

test('GC says what there should be', () => {
  const valid = [{ containerID: 'c1', ifname: 'eth0' }];
  const asked = readRequest(
    request({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid }, { CNI_COMMAND: 'GC' }),
  );
  assert.ok(asked.command === 'GC');
  assert.deepEqual(asked.valid, [{ containerId: 'c1', interfaceName: 'eth0' }]);
});

for (const [what, asked, code, message] of [
  ['an unknown version', request({ cniVersion: '9.9.9' }), 1, /"9.9.9" is not one of 0.1.0, 0.2.0/],
  ['no command', request({}, { CNI_COMMAND: '' }), 4, /CNI_COMMAND is ""/],
  ['an unknown command', request({}, { CNI_COMMAND: 'DANCE' }), 4, /CNI_COMMAND is "DANCE"/],
  ['no container', request({}, { CNI_CONTAINERID: '' }), 4, /CNI_CONTAINERID is missing/],
  ['a container that is a path', request({}, { CNI_CONTAINERID: '../x' }), 4, /CNI_CONTAINERID is "..\/x"/],
  ['an interface name that is too long', request({}, { CNI_IFNAME: 'x'.repeat(16) }), 4, /CNI_IFNAME/],
  ['an interface name of too many bytes', request({}, { CNI_IFNAME: 'é'.repeat(8) }), 4, /15 bytes of UTF-8/],
  ['an interface name that is a pattern', request({}, { CNI_IFNAME: 'eth%d' }), 4, /CNI_IFNAME is "eth%d"/],
  ['the interface name "all"', request({}, { CNI_IFNAME: 'all' }), 4, /CNI_IFNAME is "all"/],
  ['the interface name "default"', request({}, { CNI_IFNAME: 'default' }), 4, /CNI_IFNAME is "default"/],
  ['an interface name with a space to the kernel', request({}, { CNI_IFNAME: 'à' }), 4, /CNI_IFNAME is "à"/],
  ['an interface name with a slash', request({}, { CNI_IFNAME: 'a/b' }), 4, /CNI_IFNAME/],
  ['ADD without a namespace', request({}, { CNI_NETNS: '' }), 4, /CNI_NETNS is missing/],
  ['CHECK before 0.4.0', request({ cniVersion: '0.3.1' }, { CNI_COMMAND: 'CHECK' }), 1, /has no CHECK/],
  ['GC before 1.1.0', request({}, { CNI_COMMAND: 'GC' }), 1, /has no GC; it came with 1.1.0/],
  ['STATUS before 1.1.0', request({}, { CNI_COMMAND: 'STATUS' }), 1, /has no STATUS/],
  ['CHECK without a result', request({}, { CNI_COMMAND: 'CHECK' }), 7, /"prevResult" is missing/],
  [
    'GC with a list that is none',
    request({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': 'all' }, { CNI_COMMAND: 'GC' }),
    7,
    /"cni.dev\/valid-attachments" is not a list/,
  ],
  ['a configuration that is not JSON', { environment, stdin: '{' }, 6, /is not JSON/],
  ['a configuration that is a list', { environment, stdin: '[]' }, 7, /is not an object/],
  ['a network without a name', request({ name: '' }), 7, /"name" is ""/],
  ['a negative MTU', request({ mtu: -1 }), 7, /"mtu" is -1/],
] as const) {
  test(`${what} is refused with code ${code}`, () => {
    assert.throws(
      () => readRequest(asked),
      (error) => error instanceof CniError && error.code === code && message.test(error.message),
    );
  });
}
