// Whatever value Felix' settings of the table may have, the kernel takes the table that they make, and lists it as it was written:
// a setting that it refused would keep all policy of the node from changing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Calculator } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import { environmentLayer } from '../../src/felix/configuration/layers.ts';
import { resolveSettings } from '../../src/felix/configuration/resolve.ts';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';
import { tableOptions } from '../../src/node/table-options.ts';

const manyPorts = Array.from({ length: 2_000 }, (_, n) => `tcp:10.0.${n >> 8}.${n & 255}/32:${n + 1}`).join();
const values: Readonly<Record<string, readonly string[]>> = {
  LOGPREFIX: ['x'.repeat(127), 'x'.repeat(128), 'x'.repeat(500), '%n'.repeat(100)],
  LOGACTIONRATELIMIT: ['9999/day', '1/day', '9999/second'],
  LOGACTIONRATELIMITBURST: ['0', '9999'],
  FAILSAFEINBOUNDHOSTPORTS: [
    manyPorts,
    'tcp:0.0.0.0/0:1,tcp:10.0.0.0/8:1,tcp:10.0.0.0/8:1,tcp:1',
    'udp:::/0:9',
  ],
  EXTERNALNODESCIDRLIST: ['0.0.0.0/0,::/0,::/128', '10.0.0.0/8,10.1.0.0/16,10.1.0.0/16', '255.255.255.255'],
  NATPORTRANGE: ['1:65535', '65535'],
  NATOUTGOINGADDRESS: ['0.0.0.0', '224.0.0.1', '::', 'ff02::1', '1.2.3.4,::1'],
  IPTABLESNATOUTGOINGINTERFACEFILTER: [
    'x'.repeat(15),
    'x'.repeat(16),
    'x'.repeat(300),
    'é'.repeat(8),
    'eth+',
    '+',
  ],
  NFTABLESMARKMASK: ['0xff', '0xffffffff', '0xf0f0f0f0', '0x7f80'],
  INTERFACEPREFIX: ['x'.repeat(15), 'é'.repeat(7), 'é'.repeat(15), 'cali,cali', 'a,ab,abc'],
  VXLANPORT: ['0', '1', '65535'],
};

describe('the kernel takes the table', () => {
  const name = `ct-${process.pid}-extreme`;
  let namespace: number;
  let nftables: Nftables;
  before(() => {
    createNamespace(name);
    namespace = openNamespace(namespacePath(name));
    nftables = Nftables.open({ namespace });
  });
  after(() => {
    nftables?.close();
    if (namespace !== undefined) closeNamespace(namespace);
    deleteNamespace(name);
  });

  for (const [key, list] of Object.entries(values)) {
    for (const value of list) {
      const words = value.length > 40 ? `${value.slice(0, 40)}... (${value.length} characters)` : value;
      test(`with ${key}=${words}`, async () => {
        const { settings } = resolveSettings([
          environmentLayer({ FELIX_LOGACTIONRATELIMIT: '10/second', [`FELIX_${key}`]: value }),
        ]);
        const dataplane = new NftablesDataplane(nftables, {
          ...tableOptions(settings, [4, 6]),
          forgetJudgements: async () => {},
          onTrouble: (error) => assert.fail(String(error)),
          onIsolated: (objects, error) => assert.fail(`${objects}: ${error}`),
        });
        const calculator = filled();
        dataplane.apply(calculator.state, calculator.takeChanges());
        await dataplane.settled();
        assert.equal(await dataplane.audit(), undefined);
      });
    }
  }
});

/** A pool whose pods are translated, a pod with a policy that logs. */
function filled(): Calculator {
  const calculator = new Calculator({ node: 'n', onFault: (fault) => assert.fail(fault) });
  const apiVersion = 'projectcalico.org/v3';
  calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } });
  for (const [pool, cidr] of [
    ['four', '10.1.0.0/16'],
    ['six', 'fd00:1::/64'],
  ] as const)
    calculator.setPool({
      apiVersion,
      kind: 'IPPool',
      metadata: { name: pool },
      spec: { cidr, natOutgoing: true, vxlanMode: 'Always' },
    });
  calculator.setPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'a', name: 'p' },
    spec: { nodeName: 'n', containers: [] },
    status: { phase: 'Running', podIPs: [{ ip: '10.1.0.1' }] },
  });
  calculator.setNetworkPolicy({
    apiVersion,
    kind: 'NetworkPolicy',
    metadata: { namespace: 'a', name: 'log' },
    spec: { selector: 'all()', types: ['Ingress'], ingress: [{ action: 'Log' }, { action: 'Allow' }] },
  });
  return calculator;
}
