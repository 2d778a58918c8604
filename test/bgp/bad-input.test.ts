// What cannot be is refused where that can be known from the object; else it is reported, and the other peers go on as they were.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type BgpInput, configurationText, modelOf } from '../../src/bgp/index.ts';
import { readManifest } from '../../src/resources/index.ts';
import { configuration, filter, peer, testInput } from './test-cluster.ts';

const router = { peerIP: '10.9.0.1', asNumber: 65001 };

const refused: readonly (readonly [string, string, object, RegExp])[] = [
  ['a peer in system 0', 'BGPPeer', { ...router, asNumber: 0 }, /asNumber.*must be from 1 to/],
  ['a peer in a system beyond all', 'BGPPeer', { ...router, asNumber: 4294967296 }, /asNumber/],
  ['a peer at no address', 'BGPPeer', { ...router, peerIP: '10.9.0.300' }, /peerIP.*must be an address/],
  ['a cluster in system 0', 'BGPConfiguration', { asNumber: 0 }, /asNumber.*must be from 1 to/],
  [
    'a filter with a bad CIDR',
    'BGPFilter',
    { importV4: [{ action: 'Accept', cidr: '10.0.0.0/33', matchOperator: 'In' }] },
    /importV4\[0\]\.cidr.*must be a CIDR/,
  ],
  [
    'a filter with a CIDR of the other family',
    'BGPFilter',
    { exportV6: [{ action: 'Accept', cidr: '10.0.0.0/8', matchOperator: 'In' }] },
    /exportV6\[0\]\.cidr.*must be an IPv6 CIDR/,
  ],
  ['a filter that names itself', 'BGPFilter', { filters: ['self'] }, /filters/],
  ['a filter whose rule names it', 'BGPFilter', { importV4: [{ action: 'self' }] }, /importV4\[0\]\.action/],
];

for (const [what, kind, spec, fault] of refused) {
  test(`validation refuses ${what}`, () => {
    const name = kind === 'BGPConfiguration' ? 'default' : 'self';
    const object = { apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec };
    const [entry] = readManifest(JSON.stringify(object), 'object.json');
    assert.match(JSON.stringify(entry?.faults ?? []), fault);
  });
}

/** As it may be stored where validation was not there, or could not know. */
const reported: readonly (readonly [string, Partial<BgpInput>, string])[] = [
  [
    'a Secret that does not exist',
    { peers: [peer({ ...router, password: { secretKeyRef: { name: 'none', key: 'k' } } })] },
    'BGPPeer "peer": the Secret "kube-system/none" of its password does not exist; it is not set up',
  ],
  [
    'a filter that does not exist',
    { peers: [peer({ ...router, filters: ['none'] })] },
    'BGPPeer "peer": its filter "none" does not exist; no route passes its sessions',
  ],
  [
    'a node that does not exist',
    { peers: [peer({ ...router, node: 'node-9' })] },
    'BGPPeer "peer": there is no node "node-9"',
  ],
  [
    'a system out of range',
    { peers: [peer({ ...router, asNumber: 4294967296 })] },
    'BGPPeer "peer": spec.asNumber: 4294967296 is not an AS number, from 1 to 4294967295; it is not set up',
  ],
  [
    'a cluster out of range',
    { configurations: [configuration({ asNumber: -1 })] },
    'BGPConfiguration "default": spec.asNumber: "-1" is not an AS number, from 1 to 4294967295; the default stands in for it',
  ],
  [
    'a filter with a bad CIDR',
    {
      peers: [peer({ ...router, filters: ['bad'] })],
      filters: [filter({ importV4: [{ action: 'Accept', cidr: '10/8', matchOperator: 'In' }] }, 'bad')],
    },
    'BGPFilter "bad": spec.importV4[0].cidr: "10/8" is not an IPv4 CIDR; no route passes sessions that use it',
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'calico-bgp-bad-'));
after(() => rmSync(folder, { recursive: true }));

for (const [what, more, fault] of reported) {
  test(`${what} is reported, BIRD reads what is made of the rest, and other peers stay`, () => {
    const sound = peer({ peerIP: '10.9.0.2', asNumber: 65002 }, 'sound');
    const input = testInput({ ...more, peers: [...(more.peers ?? []), sound] });
    const { model, faults } = modelOf(input);
    const sentences = faults.map(({ object, sentence }) => `${object}: ${sentence}`);
    assert.ok(sentences.includes(fault), sentences.join('\n'));
    assert.ok(model);
    const others = (peers: typeof model.peers) => peers.filter(({ resource }) => resource !== 'peer');
    const alone = modelOf(testInput({ peers: [sound] })).model;
    assert.deepEqual(others(model.peers), others(alone?.peers ?? []));
    const path = join(folder, 'bird.conf');
    writeFileSync(path, configurationText(model, { logFile: join(folder, 'bird.log') }));
    const { status, stderr } = spawnSync('bird', ['-p', '-c', path], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
