// `calico-lab up` and what works on a cluster that is up, with the real kubectl; and that `down` takes all of it away.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { leftovers, removeRun } from '../../src/lab/run/cleanup.ts';
import { findRun } from '../../src/lab/run/run.ts';
import { LabCommand, runLabCommand } from './lab-command.ts';
import { readMatrices } from './printed-matrix.ts';

const id = `test-up-${process.pid}`;
const interrupted = `test-up-int-${process.pid}`;

describe('a cluster that is up', () => {
  let kubeconfig = '';
  const home = mkdtempSync(join(tmpdir(), 'calico-lab-test-'));

  before(async () => {
    const { code, output } = await runLabCommand('up', '--name', id, '--nodes', '2');
    assert.equal(code, 0, output);
    kubeconfig = /export KUBECONFIG=(\S+)/.exec(output)?.[1] ?? '';
    assert.ok(existsSync(kubeconfig), output);
  });

  after(async () => {
    for (const name of [id, interrupted]) {
      const run = findRun(name);
      if (run) await removeRun(run);
    }
    rmSync(home, { recursive: true, force: true });
  });

  const kubectl = (input: string, ...arguments_: string[]): string =>
    execFileSync('kubectl', arguments_, {
      input,
      encoding: 'utf8',
      env: { ...process.env, KUBECONFIG: kubeconfig, HOME: home },
    });

  /** How many cells of the matrix are closed. */
  const blocked = async () => {
    const { code, output } = await runLabCommand('matrix', '--name', id, '--proto', 'tcp', '--port', 'http');
    assert.equal(code, 0, output);
    return readMatrices(output)[0]
      ?.cells.flat()
      .filter((cell) => cell === '·').length;
  };

  test('keeps its kubeconfig, its token and its control socket to their owner', () => {
    for (const file of ['kubeconfig', 'token', 'control.sock']) {
      assert.equal(statSync(join(kubeconfig, '..', file)).mode & 0o777, 0o600, file);
    }
  });

  test('nodes tell of their own interfaces, and not of those of pods', () => {
    const annotation = 'jsonpath={.metadata.annotations.projectcalico\\.org/Interfaces}';
    const interfaces: { name: string; addresses: string[] }[] = JSON.parse(
      kubectl('', 'get', 'node', 'node-1', '-o', annotation),
    );
    assert.deepEqual(
      interfaces.map(({ name }) => name),
      ['eth0'],
    );
    assert.ok(interfaces[0]?.addresses.includes('172.30.0.11'), JSON.stringify(interfaces));
  });

  test('needs no BIRD where there is an overlay', () => {
    const files = readdirSync(join(kubeconfig, '../nodes/node-1/run'));
    assert.deepEqual(
      files.filter((name) => /bird|bgp/.test(name)),
      [],
    );
  });

  test('is not brought up twice', async () => {
    const { code, output } = await runLabCommand('up', '--name', id);
    assert.equal(code, 1);
    assert.match(output, /is already up/);
  });

  test('says that its nodes are ready and its agents run', async () => {
    const { code, output } = await runLabCommand('status', '--name', id);
    assert.equal(code, 0, output);
    assert.match(output, /2 of 2 nodes ready, 12 pods/);
    assert.equal(output.match(/^node-\d .* yes +pid \d+/gm)?.length, 2);
  });

  test('shows its pods running to kubectl, each with an address of the pool', () => {
    const lines = kubectl('', 'get', 'pods', '-A', '-o', 'wide', '--no-headers').trim().split('\n');
    assert.equal(lines.length, 12);
    for (const line of lines) assert.match(line, /1\/1 +Running .* 192\.168\.\d+\.\d+ +node-[12]/);
  });

  test('obeys a policy that kubectl applies, and its deletion', async () => {
    const policy = JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny-all', namespace: 'test' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
    /** Asks until it is so: kubectl returns with the API server's answer, and the kernel follows within milliseconds. */
    const untilBlocked = async (count: number): Promise<void> => {
      const deadline = performance.now() + 60_000;
      for (let found = await blocked(); found !== count; found = await blocked()) {
        assert.ok(performance.now() < deadline, `${found} cells are blocked instead of ${count}`);
      }
    };
    kubectl(policy, 'apply', '-f', '-');
    // Four pods of "test" by eight others, both ways, and among themselves.
    await untilBlocked(4 * 8 * 2 + 4 * 3);
    kubectl('', 'delete', 'networkpolicy', '-n', 'test', 'deny-all');
    await untilBlocked(0);
  });

  test('takes up settings at once, or by a new start of its agents in the same process, with no pod cut off', async () => {
    const set = (spec: object) =>
      kubectl('', 'patch', 'felixconfiguration', 'default', '--type=merge', '-p', JSON.stringify({ spec }));
    const ask = (path: string): string => {
      const node = `--net=/run/netns/calico-lab-${id}.node-1`;
      const script = `fetch('http://localhost:19099${path}').then(async (r) => console.log(r.status, await r.text()), () => {})`;
      return execFileSync('nsenter', [node, process.execPath, '-e', script], { encoding: 'utf8' });
    };
    const until = async (what: string, holds: () => boolean): Promise<void> => {
      const deadline = performance.now() + 30_000;
      for (; !holds(); await delay(100)) assert.ok(performance.now() < deadline, what);
    };
    set({ healthEnabled: true, healthPort: 19099 });
    await until('health is not served', () => ask('/readiness') === '200 ok\n\n');
    const log = join(kubeconfig, '../nodes/node-1/log/calico-node.log');
    const starts = () => readFileSync(log, 'utf8').match(/"msg":"Ready"/g)?.length ?? 0;
    const before = starts();
    set({ vxlanMTU: 1400 });
    await until('the agent does not start anew', () => starts() > before);
    assert.match(readFileSync(log, 'utf8'), /Starting anew: vxlanMTU changed/);
    await until('health is not served any more', () => ask('/liveness') === '200 ok\n\n');
    assert.equal(await blocked(), 0);
    set({ healthEnabled: null, healthPort: null, vxlanMTU: null });
  });

  test('runs a pod that kubectl creates, and takes it away when kubectl deletes it', async () => {
    const pod = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'late', namespace: 'web' },
      spec: { containers: [{ name: 'probe', image: 'any', ports: [{ name: 'http', containerPort: 8081 }] }] },
    });
    kubectl(pod, 'apply', '-f', '-');
    kubectl('', 'wait', '-n', 'web', '--for=condition=Ready', 'pod/late', '--timeout=30s');
    const { output } = await runLabCommand('matrix', '--name', id, '--proto', 'tcp', '--port', 'http');
    const [matrix] = readMatrices(output);
    assert.ok(matrix, output);
    assert.ok(matrix.names.includes('late'), output);
    assert.ok(
      matrix.cells.flat().every((cell) => cell === '●'),
      output,
    );
    kubectl('', 'delete', 'pod', '-n', 'web', 'late', '--timeout=30s');
    const after = await runLabCommand('status', '--name', id);
    assert.doesNotMatch(after.output, /\blate\b/);
    assert.match(after.output, /12 pods/);
  });

  test('lets a pod wait while its pool is full, says why, and runs it when an address frees', async () => {
    const tiny = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: { name: 'tiny' },
      spec: { cidr: '10.99.0.0/31', blockSize: 31, vxlanMode: 'Always', allowedUses: ['Workload'] },
    };
    const pod = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'web', annotations: { 'cni.projectcalico.org/ipv4pools': '["tiny"]' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'probe', image: 'any' }] },
    });
    const create = (...objects: object[]) => {
      for (const object of objects) kubectl(JSON.stringify(object), 'create', '-f', '-');
    };
    const waitFor = (...names: string[]) =>
      kubectl('', 'wait', '-n', 'web', '--for=condition=Ready', ...names, '--timeout=60s');
    create(tiny, pod('full-a'), pod('full-b'));
    waitFor('pod/full-a', 'pod/full-b');
    create(pod('full-c'));
    const deadline = performance.now() + 60_000;
    const log = () => readFileSync(join(kubeconfig, '..', 'lab.log'), 'utf8');
    while (!/full-c.*no block has 1 free address in "tiny" \(10\.99\.0\.0\/31\)/.test(log())) {
      assert.ok(performance.now() < deadline, log());
      await delay(50);
    }
    kubectl('', 'delete', 'pod', '-n', 'web', 'full-a', '--timeout=60s');
    waitFor('pod/full-c');
    kubectl('', 'delete', 'pod', '-n', 'web', 'full-b', 'full-c', '--timeout=60s');
    kubectl('', 'delete', 'ippool', 'tiny', '--timeout=60s');
  });

  test('starts an agent again that was killed, and its pods stay reachable meanwhile', async () => {
    const status = async () => (await runLabCommand('status', '--name', id)).output;
    const pid = Number(/^node-2 .* pid (\d+)/m.exec(await status())?.[1]);
    process.kill(pid, 'SIGKILL');
    const { output } = await runLabCommand('matrix', '--name', id, '--proto', 'tcp');
    assert.ok(
      readMatrices(output)[0]
        ?.cells.flat()
        .every((cell) => cell === '●'),
      output,
    );
    const deadline = performance.now() + 60_000;
    for (let said = await status(); !/^node-2 .* pid \d+ +1 /m.test(said); said = await status()) {
      assert.ok(performance.now() < deadline, said);
    }
    assert.match(
      readFileSync(join(kubeconfig, '..', 'lab.log'), 'utf8'),
      /calico-node on node-2 ended with SIGKILL/,
    );
  });

  test('is gone after its supervisor was killed and "down" was called', async () => {
    const run = findRun(id);
    assert.ok(run);
    process.kill(run.owner.pid, 'SIGKILL');
    const { code, output } = await runLabCommand('down', '--name', id);
    assert.equal(code, 0, output);
    assert.deepEqual(leftovers(id), []);
  });

  test('that is interrupted while it comes up leaves nothing behind', async () => {
    const up = new LabCommand('up', '--name', interrupted, '--nodes', '1');
    await up.said('underlay and API server');
    up.kill('SIGINT');
    assert.equal(await up.ended(), 130, up.output);
    assert.deepEqual(leftovers(interrupted), []);
  });

  test('is taken down by its supervisor when that is asked to', async () => {
    const up = await runLabCommand('up', '--name', interrupted, '--nodes', '1');
    assert.equal(up.code, 0, up.output);
    const { code, output } = await runLabCommand('down', '--name', interrupted);
    assert.equal(code, 0, output);
    assert.match(output, /is gone/);
    assert.deepEqual(leftovers(interrupted), []);
  });
});
