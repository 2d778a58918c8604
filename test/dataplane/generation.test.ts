// What connections remember must not outlive the numbers that it is remembered by.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Calculator } from '../../src/calc/index.ts';
import { NftablesDataplane } from '../../src/dataplane/index.ts';
import {
  createNamespace,
  deleteNamespace,
  Nftables,
  namespacePath,
  openNamespace,
  Transaction,
} from '../../src/kernel/index.ts';

const name = `ct-${process.pid}-gen`;
const table = { family: 'inet', name: 'calico' } as const;
const judged = { name: 'cali-judged', key: ['mark' as const] };

describe('a generation of judgements', () => {
  let nftables: Nftables;
  let forgotten: PromiseWithResolvers<void>;
  let left: PromiseWithResolvers<void>;
  let requests: number;
  const isolated: string[] = [];
  before(() => {
    createNamespace(name);
    nftables = Nftables.open({ namespace: openNamespace(namespacePath(name)) });
  });
  after(() => {
    nftables?.close();
    deleteNamespace(name);
  });

  const generations = () =>
    nftables.listElements(table, judged.name).map(({ key }) => Buffer.from(key).readUInt32LE() >>> 17);

  function start(): NftablesDataplane {
    forgotten = Promise.withResolvers();
    left = Promise.withResolvers();
    requests = 0;
    const dataplane = new NftablesDataplane(nftables, {
      logPrefix: 'calico-packet',
      endpointToHostAction: 'Accept',
      forgetJudgements: () => {
        requests++;
        return forgotten.promise;
      },
      packetsInFlight: () => left.promise,
      onTrouble: (error) => assert.fail(String(error)),
      onIsolated: (objects) => isolated.push(...objects),
    });
    return dataplane;
  }

  /** A pod more or less: something has to differ. */
  function change(dataplane: NftablesDataplane, pod: string): void {
    const calculator = new Calculator({ node: 'n' });
    calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } });
    calculator.setPod({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'a', name: pod },
      spec: { nodeName: 'n', containers: [] },
      status: { podIPs: [{ ip: '10.0.0.1' }] },
    });
    dataplane.distrust();
    dataplane.apply(calculator.state, calculator.takeChanges());
  }

  const settled = () => new Promise((resolve) => setImmediate(resolve));

  /** Lets the packets go that are under way at this moment, and waits for what that leads to. */
  async function packetsLeave(): Promise<void> {
    left.resolve();
    left = Promise.withResolvers();
    await settled();
  }

  test('is none until connections have forgotten what was before', async () => {
    const dataplane = start();
    change(dataplane, 'p1');
    assert.deepEqual([generations(), requests], [[], 0]);
    await packetsLeave();
    assert.deepEqual([generations(), requests], [[], 1]);
    forgotten.resolve();
    await settled();
    assert.deepEqual(generations(), [1]);
  });

  test('is none after a change until the packets have left that were under way', async () => {
    const dataplane = start();
    change(dataplane, 'p2');
    assert.deepEqual(generations(), []);
    await packetsLeave();
    assert.deepEqual([generations(), requests], [[2], 0]);
  });

  test('waits again when another change comes meanwhile', async () => {
    const dataplane = start();
    change(dataplane, 'p3');
    change(dataplane, 'p4');
    await settled();
    const { resolve: beforeLast } = left;
    left = Promise.withResolvers();
    change(dataplane, 'p5');
    beforeLast();
    await settled();
    assert.deepEqual(generations(), []);
    await packetsLeave();
    assert.deepEqual([generations(), requests], [[3], 0]);
  });

  test('stays when a new agent finds everything as it should be', async () => {
    const dataplane = start();
    change(dataplane, 'p5');
    assert.deepEqual([generations(), requests], [[3], 0]);
    await packetsLeave();
    assert.deepEqual([generations(), requests], [[3], 0]);
  });

  test('that begins in doubt brings all of the state, and changes that tell of it later find it so', async () => {
    const dataplane = start();
    const calculator = new Calculator({ node: 'n' });
    calculator.setNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } });
    calculator.setKubernetesNetworkPolicy({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'a', name: 'from-friends' },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { is: 'friend' } } }] }] },
    });
    const setPod = (pod: string, ip: string, labels: Record<string, string>) =>
      calculator.setPod({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'a', name: pod, labels },
        spec: { nodeName: 'n', containers: [] },
        status: { podIPs: [{ ip }] },
      });
    setPod('p7', '10.0.0.7', {});
    setPod('p8', '10.0.0.8', { is: 'friend' });
    dataplane.apply(calculator.state, calculator.takeChanges());
    dataplane.distrust();
    setPod('p8', '10.0.0.8', { is: 'foe' });
    await packetsLeave();
    forgotten.resolve();
    await settled();
    dataplane.apply(calculator.state, calculator.takeChanges());
    assert.deepEqual(isolated, []);
    await packetsLeave();
  });

  test('starts over after the last number, with everything forgotten', async () => {
    const last = new Transaction(table);
    last.addElements(judged, [
      { key: Uint8Array.from(new Uint8Array(new Uint32Array([((0x7fff << 17) | (1 << 16)) >>> 0]).buffer)) },
    ]);
    nftables.commit(last);
    const dataplane = start();
    change(dataplane, 'p6');
    await packetsLeave();
    assert.deepEqual([generations(), requests], [[], 1]);
    forgotten.resolve();
    await settled();
    assert.deepEqual(generations(), [1]);
  });

  test('starts over, too, where nothing tells which number was the last', async () => {
    const none = new Transaction(table);
    none.deleteElements(judged, [
      { key: Uint8Array.from(new Uint8Array(new Uint32Array([((1 << 17) | (1 << 16)) >>> 0]).buffer)) },
    ]);
    nftables.commit(none);
    const dataplane = start();
    change(dataplane, 'p7');
    await packetsLeave();
    forgotten.resolve();
    await settled();
    assert.deepEqual([generations(), requests], [[1], 1]);
  });

  test('another change may come as soon as the packets have left that the last one may have overtaken', async () => {
    const dataplane = start();
    assert.equal(dataplane.overtaking, undefined);
    change(dataplane, 'p8');
    const { overtaking } = dataplane;
    assert.ok(overtaking);
    await packetsLeave();
    await overtaking;
    assert.equal(dataplane.overtaking, undefined);
  });
});
