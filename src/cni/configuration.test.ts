import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfiguration } from './configuration.ts';
import { CniError } from './errors.ts';

const read = (more: object = {}) =>
  readConfiguration(JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'calico', ...more }));

test('what a configuration leaves out has its default', () => {
  const { raw, ...configuration } = read();
  assert.deepEqual(raw, { cniVersion: '1.0.0', name: 'net', type: 'calico' });
  assert.deepEqual(configuration, {
    cniVersion: '1.0.0',
    name: 'net',
    mtu: undefined,
    queues: undefined,
    ipam: { type: 'calico-ipam', assignIPv4: true, assignIPv6: false, ipv4Pools: [], ipv6Pools: [] },
    allowIpForwarding: false,
    defaultRoutes: true,
    features: { ipAddrsNoIpam: false, floatingIps: false },
    node: undefined,
    nodenameFile: undefined,
    isNodenameFileOptional: false,
    isMtuFileRequired: false,
    readinessGates: [],
    policyTimeoutMs: undefined,
    log: undefined,
    previousResult: undefined,
  });
});

test('every key that upstream knows is read', () => {
  const { raw, ...configuration } = read({
    cniVersion: '1.1.0',
    mtu: 1400,
    num_queues: 4,
    ipam: {
      type: 'host-local',
      assign_ipv4: 'false',
      assign_ipv6: true,
      ipv4_pools: ['a'],
      ipv6_pools: ['b'],
    },
    container_settings: { allow_ip_forwarding: true },
    include_default_routes: false,
    feature_control: { ip_addrs_no_ipam: true, floating_ips: true },
    kubernetes: { kubeconfig: '/k', node_name: 'n1' },
    nodename_file: '/var/lib/calico/nodename',
    nodename_file_optional: true,
    require_mtu_file: true,
    device_type: 'netkit',
    dataplane_options: {},
    calico_api_group: 'projectcalico.org/v3',
    readiness_gates: ['http://localhost:9099/readiness'],
    policy_setup_timeout_seconds: 10,
    prevResult: { ips: [] },
    // Upstream's own process needs these.
    datastore_type: 'kubernetes',
    etcd_endpoints: 'http://localhost:2379',
    log_level: 'WARNING',
    log_file_path: '/var/log/calico/cni/cni.log',
    log_file_max_size: 5,
    log_file_max_age: 7,
    policy: { type: 'k8s' },
    endpoint_status_dir: '/var/run/calico/endpoint-status',
    ipam_lock_file: '/var/run/calico/ipam.lock',
    qps: 10,
  });
  assert.equal(raw.log_level, 'WARNING');
  assert.deepEqual(configuration, {
    cniVersion: '1.1.0',
    name: 'net',
    mtu: 1400,
    queues: 4,
    ipam: { type: 'host-local', assignIPv4: false, assignIPv6: true, ipv4Pools: ['a'], ipv6Pools: ['b'] },
    allowIpForwarding: true,
    defaultRoutes: false,
    features: { ipAddrsNoIpam: true, floatingIps: true },
    node: 'n1',
    nodenameFile: '/var/lib/calico/nodename',
    isNodenameFileOptional: true,
    isMtuFileRequired: true,
    readinessGates: ['http://localhost:9099/readiness'],
    policyTimeoutMs: 10_000,
    log: {
      path: '/var/log/calico/cni/cni.log',
      level: 'warning',
      maxBytes: 5 * 1024 * 1024,
      maxAgeMs: 7 * 24 * 60 * 60 * 1000,
      maxFiles: 10,
    },
    previousResult: { ips: [] },
  });
});

for (const [what, more, code, message] of [
  ['a boolean that is none', { ipam: { assign_ipv4: 'maybe' } }, 7, /"ipam.assign_ipv4" is "maybe"/],
  ['pools that are no list', { ipam: { ipv4_pools: 'a' } }, 7, /"ipam.ipv4_pools" is not a list/],
  ['an IPAM plugin that is a path', { ipam: { type: '../x' } }, 7, /not the name of a plugin/],
  ['half a queue', { num_queues: 0.5 }, 7, /"num_queues" is 0.5/],
  ['a gate that is no URL', { readiness_gates: ['file:///etc'] }, 7, /"readiness_gates" has "file/],
  ['a result that is a list', { prevResult: [] }, 7, /"prevResult" is not an object/],
  ['a link of another type', { device_type: 'ipvlan' }, 2, /"device_type" is "ipvlan"/],
  ['a log level that is no text', { log_level: 5 }, 7, /"log_level" is 5/],
  ['another dataplane', { dataplane_options: { type: 'grpc' } }, 2, /"dataplane_options.type" is "grpc"/],
] as const) {
  test(`${what} is refused with code ${code}`, () => {
    assert.throws(
      () => read(more),
      (error) => error instanceof CniError && error.code === code && message.test(error.message),
    );
  });
}

test('a version that is empty is one that is not told', () => {
  assert.equal(read({ cniVersion: '' }).cniVersion, '0.2.0');
});

test('a log level that upstream does not know is what it is to upstream: "info"', () => {
  for (const level of ['none', 'trace', 'fatal', 'panic', 'loud']) {
    assert.equal(read({ log_level: level, log_file_path: '/var/log/cni.log' }).log?.level, 'info', level);
  }
});
