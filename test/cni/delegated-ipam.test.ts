// Another IPAM plugin is asked whatever we are asked, as the specification wants it; one that is older is spared what it cannot know.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DelegatedIpam } from '../../src/cni/addresses/delegated-ipam.ts';
import { CniError } from '../../src/cni/errors.ts';
import { readRequest } from '../../src/cni/request.ts';
import { cniResult } from '../../src/cni/result.ts';
import { tryParseAddress } from '../../src/net/index.ts';
import { withoutDescriptors } from '../faults/descriptors.ts';
import { testNamespace } from '../kernel/test-namespaces.ts';
import { baseConfiguration, requestOf, TestNode } from './test-node.ts';

const noWishes = {
  count: { 4: 1, 6: 0 },
  pools: { 4: [], 6: [] },
  addresses: [],
  namespaceLabels: new Map(),
};

const folder = mkdtempSync(join(tmpdir(), 'calico-delegated-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Notes what it is asked, with the version that it is asked in; answers ADD with one address, and fails where a file says so. */
function writePlugin(name: string, versions: string): void {
  const path = join(folder, name);
  writeFileSync(
    path,
    `#!/bin/sh
    version=$(sed 's/.*"cniVersion":"\\([^"]*\\)".*/\\1/')
    echo "$CNI_COMMAND $version" >> ${path}.asked
    if [ -e ${path}.broken ] && [ $CNI_COMMAND != VERSION ]; then
      echo '{"cniVersion":"1.0.0","code":100,"msg":"it is broken"}'; exit 1
    fi
    case $CNI_COMMAND in
      VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":${versions}}' ;;
      ADD) echo '{"cniVersion":"1.0.0","ips":[{"address":"10.42.0.7/24"}]}' ;;
    esac
    `,
  );
  chmodSync(path, 0o755);
}

const askedOf = (name: string) => {
  const file = join(folder, `${name}.asked`);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines;
};

async function live(name: string, versions: string) {
  writePlugin(name, versions);
  const node = await (await TestNode.make()).start();
  await node.createPod('web');
  const namespace = testNamespace('pod');
  const configuration = { ipam: { type: name } };
  const attachment = (command: 'ADD' | 'DEL' | 'CHECK', more: object = {}) => {
    const call = { pod: 'web', container: 'c1', namespace, configuration: { ...configuration, ...more } };
    const request = requestOf(command, call);
    return { ...request, environment: { ...request.environment, CNI_PATH: folder } };
  };
  const plain = (command: string) =>
    readRequest({
      environment: { CNI_COMMAND: command, CNI_PATH: folder },
      stdin: JSON.stringify({ ...baseConfiguration, ...configuration, 'cni.dev/valid-attachments': [] }),
    });
  const result = await node.network.add(attachment('ADD'));
  assert.deepEqual(result.addresses, ['10.42.0.7']);
  return { node, attachment, plain, prevResult: cniResult('1.1.0', result) };
}

test('a plugin of 1.1.0 is asked ADD, CHECK, STATUS, GC and DEL', async () => {
  const { node, attachment, plain, prevResult } = await live('new-ipam', '["1.0.0","1.1.0"]');
  await node.network.check(attachment('CHECK', { prevResult }));
  const [status, garbage] = [plain('STATUS'), plain('GC')];
  assert.ok(status.command === 'STATUS' && garbage.command === 'GC' && garbage.valid);
  await node.network.status(status);
  assert.deepEqual(askedOf('new-ipam'), ['ADD 1.0.0', 'CHECK 1.0.0', 'VERSION 1.0.0', 'STATUS 1.1.0']);
  await node.network.collectGarbage({ ...garbage, valid: garbage.valid });
  assert.deepEqual(askedOf('new-ipam'), ['DEL 1.0.0', 'VERSION 1.0.0', 'GC 1.1.0']);
  assert.deepEqual([...node.links.owners()], []);
});

test('an older one is not asked what it does not know', async () => {
  const { node, attachment, plain } = await live('old-ipam', '["0.4.0","1.0.0"]');
  const [status, garbage] = [plain('STATUS'), plain('GC')];
  assert.ok(status.command === 'STATUS' && garbage.command === 'GC' && garbage.valid);
  await node.network.status(status);
  await node.network.collectGarbage({ ...garbage, valid: [{ containerId: 'c1', interfaceName: 'eth0' }] });
  assert.deepEqual(askedOf('old-ipam'), ['ADD 1.0.0', 'VERSION 1.0.0', 'VERSION 1.0.0']);
  await node.network.delete(attachment('DEL'));
  assert.deepEqual(askedOf('old-ipam'), ['DEL 1.0.0']);
});

test('of one that is a link to what is not in the container, that is said, and what to do', async () => {
  symlinkSync('/var/lib/elsewhere/bin/linked-ipam', join(folder, 'linked-ipam'));
  const request = requestOf('ADD', {
    pod: 'web',
    container: 'c1',
    namespace: testNamespace('linked'),
    configuration: { ipam: { type: 'linked-ipam' } },
  });
  const ipam = new DelegatedIpam({ podCidrs: async () => [], folders: [folder] });
  await assert.rejects(ipam.assign(request, noWishes), (error) => {
    assert.ok(error instanceof CniError);
    assert.equal(error.code, 7);
    assert.match(
      error.message,
      /linked-ipam is a link to \/var\/lib\/elsewhere\/bin\/linked-ipam, which is not to be seen/,
    );
    assert.match(error.message, /cp --remove-destination "\$\(readlink -f linked-ipam\)" linked-ipam$/);
    return true;
  });
});

test('one that refuses a DEL is asked to collect garbage all the same', async () => {
  const { node, plain } = await live('stubborn-ipam', '["1.1.0"]');
  writeFileSync(join(folder, 'stubborn-ipam.broken'), '');
  const garbage = plain('GC');
  assert.ok(garbage.command === 'GC' && garbage.valid);
  await assert.rejects(
    node.network.collectGarbage({ ...garbage, valid: garbage.valid }),
    (error: unknown) => {
      assert.ok(error instanceof CniError);
      assert.match(
        error.message,
        /container "c1": .* refused DEL .* it is broken; addresses: .* refused GC .* it is broken$/,
      );
      return true;
    },
  );
  assert.deepEqual(askedOf('stubborn-ipam'), ['ADD 1.0.0', 'DEL 1.0.0', 'VERSION 1.0.0', 'GC 1.1.0']);
});

test('what it refuses, we refuse, in its own words', async () => {
  const { node, attachment, plain, prevResult } = await live('broken-ipam', '["1.1.0"]');
  writeFileSync(join(folder, 'broken-ipam.broken'), '');
  const isRefusal = (code: number) => (error: unknown) =>
    error instanceof CniError && error.code === code && /it is broken/.test(error.message);
  const status = plain('STATUS');
  assert.ok(status.command === 'STATUS');
  await assert.rejects(node.network.check(attachment('CHECK', { prevResult })), isRefusal(100));
  await assert.rejects(node.network.status(status), isRefusal(50));
  await assert.rejects(node.network.delete(attachment('DEL')), isRefusal(100));
});

test('none is started for want of what it would be told', async () => {
  const { attachment } = await live('subnet-ipam', '["1.0.0"]');
  const request = attachment('ADD', { ipam: { type: 'subnet-ipam', subnet: 'usePodCidr' } });
  const addresses = new DelegatedIpam({ podCidrs: async () => [], folders: [] });
  const processes = () => process.getActiveResourcesInfo().filter((what) => what === 'ProcessWrap').length;
  const before = processes();
  await assert.rejects(addresses.assign(request, noWishes), /the node has none yet/);
  assert.equal(processes(), before);
});

/** host-local itself; what it keeps is this test's own. */
async function withHostLocal(annotation: readonly string[], subnets: readonly string[]) {
  const node = await (await TestNode.make()).start();
  const annotations = { 'cni.projectcalico.org/ipAddrs': JSON.stringify(annotation) };
  await node.createPod('web', { annotations });
  const dataDir = mkdtempSync(join(folder, 'host-local-'));
  const ranges = subnets.map((subnet) => [{ subnet }]);
  const call = {
    pod: 'web',
    container: 'c1',
    namespace: testNamespace('pod'),
    configuration: { ipam: { type: 'host-local', dataDir, ranges } },
  };
  const isAddress = (name: string) => tryParseAddress(name) !== undefined;
  const kept = () => readdirSync(join(dataDir, 'test-net')).filter(isAddress);
  return { node, call, kept };
}

for (const [what, asked, subnets] of [
  ['the one address', ['10.42.0.50'], ['10.42.0.0/24']],
  ['an address of each family', ['fd42::50', '10.42.0.50'], ['10.42.0.0/24', 'fd42::/64']],
  ['out of ranges of both families the one address', ['10.42.0.50'], ['10.42.0.0/24', 'fd42::/64']],
] as const) {
  test(`host-local gives a pod ${what} that its annotation asks for`, async () => {
    const { node, call, kept } = await withHostLocal(asked, subnets);
    assert.deepEqual((await node.network.add(requestOf('ADD', call))).addresses, asked);
    assert.ok(asked.every((address) => kept().includes(address)));
    await node.network.delete(requestOf('DEL', call));
    assert.deepEqual(kept(), []);
  });
}

test('an address that host-local cannot give is refused, and nothing is kept', async () => {
  const { node, call, kept } = await withHostLocal(['10.42.0.50', 'fd42::50'], ['10.42.0.0/24']);
  await assert.rejects(node.network.add(requestOf('ADD', call)), (error: unknown) => {
    assert.ok(error instanceof CniError);
    assert.match(error.message, /"host-local" refused ADD .*fd42::50/);
    return true;
  });
  assert.deepEqual(kept(), []);
  assert.deepEqual([...node.links.owners()], []);
});

test('a plugin that gives another address than was asked for is refused, and its address given back', async () => {
  const { node, attachment } = await live('headstrong-ipam', '["1.0.0"]');
  await node.network.delete(attachment('DEL'));
  askedOf('headstrong-ipam');
  const wanted = { ...attachment('ADD'), wantedAddress: '10.42.0.9' };
  await assert.rejects(node.network.add(wanted), (error: unknown) => {
    assert.ok(error instanceof CniError && error.code === 100);
    assert.match(error.message, /"headstrong-ipam" was asked for 10\.42\.0\.9 and gave 10\.42\.0\.7$/);
    return true;
  });
  assert.deepEqual(askedOf('headstrong-ipam'), ['ADD 1.0.0', 'DEL 1.0.0']);
  assert.deepEqual([...node.links.owners()], []);
});

test('a plugin that takes one address at a time is asked for each', async () => {
  const { node, attachment } = await live('single-ipam', '["1.0.0"]');
  await node.network.delete(attachment('DEL'));
  const path = join(folder, 'single-ipam');
  const answer = '{"cniVersion":"1.0.0","ips":[{"address":"\'$address\'/64"}]}';
  writeFileSync(
    path,
    `#!/bin/sh
    cat > /dev/null
    address=\${CNI_ARGS##*IP=}
    echo "$CNI_COMMAND $CNI_ARGS" >> ${path}.asked
    [ $CNI_COMMAND != ADD ] || echo '${answer}'
    `,
  );
  askedOf('single-ipam');
  await node.createPod('both', {
    annotations: { 'cni.projectcalico.org/ipAddrs': '["10.42.0.9","fd42::9"]' },
  });
  const request = requestOf('ADD', {
    pod: 'both',
    container: 'c2',
    namespace: testNamespace('both'),
    configuration: { ipam: { type: 'single-ipam' } },
  });
  const environment = { ...request.environment, CNI_PATH: folder };
  const { addresses } = await node.network.add({ ...request, environment });
  assert.deepEqual(addresses, ['10.42.0.9', 'fd42::9']);
  const common = 'ADD IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=both';
  assert.deepEqual(askedOf('single-ipam'), [`${common};IP=10.42.0.9`, `${common};IP=fd42::9`]);
});

test('without a file descriptor for it the plugin is asked again later, code 11', async () => {
  const { call } = await withHostLocal([], ['10.42.0.0/24']);
  const addresses = new DelegatedIpam({ podCidrs: async () => [], folders: ['/usr/lib/cni'] });
  const request = requestOf('ADD', call);
  await addresses.assign(request, noWishes);
  await addresses.release(request);
  const outcomes: string[] = [];
  for (let spare = 0; outcomes.at(-1) !== 'released'; spare++) {
    const release = () => withoutDescriptors(spare, () => addresses.release(request));
    outcomes.push(await release().then(() => 'released', refusalFor));
    assert.ok(spare < 20, 'descriptors that are there do not help');
  }
  assert.ok(outcomes.length > 3);
  assert.deepEqual(new Set(outcomes.slice(0, -1)), new Set(['11']));

  function refusalFor(error: unknown): string {
    assert.ok(error instanceof CniError, String(error));
    assert.match(error.message, /^Cannot run IPAM plugin "host-local": .*no file descriptor left/);
    return `${error.code}`;
  }
});
