// A cluster of the lab that speaks BGP: what its commands and calicoctl say of it, and what its agents' deaths do to connections
// between nodes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { leftovers, removeRun } from '../../src/lab/run/cleanup.ts';
import { findRun, nodeRoot } from '../../src/lab/run/run.ts';
import { run, runCalicoctl } from '../calicoctl/api-cluster.ts';
import { HeldConnections } from '../faults/held-connections.ts';
import { runLabCommand } from './lab-command.ts';
import { readMatrices } from './printed-matrix.ts';

const id = `test-bgp-${process.pid}`;
/** The page whose commands these tests run. */
const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'bgp.md'), 'utf8');
const commandsOf = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, words = '']) => words);
const nodeProgram = join(import.meta.dirname, '..', '..', 'bin', 'calico-node.ts');

describe('a cluster that speaks BGP, with a route reflector and a router outside', () => {
  const home = mkdtempSync(join(tmpdir(), 'calico-lab-bgp-'));
  let kubeconfig = '';
  const held = new HeldConnections();
  let isHeld = true;
  const letGo = () => {
    if (isHeld) held[Symbol.dispose]();
    isHeld = false;
  };

  before(async () => {
    const [, ...up] =
      commandsOf(/^npx calico-lab (up .*)$/gm)[0]?.split(' ') ?? assert.fail('no "up" on the page');
    const { code, output } = await runLabCommand('up', '--name', id, ...up);
    assert.equal(code, 0, output);
    kubeconfig = /export KUBECONFIG=(\S+)/.exec(output)?.[1] ?? '';
  });

  after(async () => {
    letGo();
    const found = findRun(id);
    if (found) await removeRun(found);
    rmSync(home, { recursive: true, force: true });
  });

  const rootOf = (node: string) => {
    const found = findRun(id);
    assert.ok(found);
    return nodeRoot(found, node);
  };
  const calicoctl = (node: string, ...words: string[]) =>
    runCalicoctl(words, { environment: { CALICO_ROOT: rootOf(node), KUBECONFIG: kubeconfig } });
  const apply = async (object: object) => {
    const { code, stderr } = await runCalicoctl(['apply', '-f', '-'], {
      stdin: JSON.stringify(object),
      environment: { KUBECONFIG: kubeconfig },
    });
    assert.equal(code, 0, stderr);
  };
  /** As a probe of the kubelet asks. */
  const isReady = (node: string) =>
    run([process.execPath, nodeProgram, 'health', '--bird-ready'], {
      environment: { CALICO_ROOT: rootOf(node), NODENAME: node },
    });
  const until = async (what: string, isTrue: () => Promise<boolean>) => {
    const giveUpAt = performance.now() + 60_000;
    for (; !(await isTrue()); await delay(200)) assert.ok(performance.now() < giveUpAt, what);
  };
  const inside = (place: string, ...words: string[]) =>
    execFileSync('nsenter', [`--net=/run/netns/calico-lab-${id}.${place}`, ...words], { encoding: 'utf8' });
  const isOpenEverywhere = async () => {
    const { output } = await runLabCommand('matrix', '--name', id, '--proto', 'udp');
    const cells = readMatrices(output)[0]?.cells.flat() ?? [];
    return cells.length === 144 && cells.every((cell) => cell === '●');
  };

  test('has no overlay: pods on different nodes reach each other by routes that BIRD learned', async () => {
    assert.ok(await isOpenEverywhere());
    assert.doesNotMatch(inside('node-2', 'ip', '-o', 'link'), /vxlan/);
    const routes = inside('node-2', 'ip', 'route', 'show', 'proto', 'bird');
    assert.match(routes, /^192\.168\.\d+\.\d+\/26 via 172\.30\.0\.11 dev eth0 metric 1024/m);
    assert.match(routes, /^192\.168\.\d+\.\d+\/26 via 172\.30\.0\.13 dev eth0 metric 1024/m);
    assert.match(routes, /^blackhole 192\.168\.\d+\.\d+\/26/m);
  });

  test('leads pods to what the router outside tells of, and the router to pods', () => {
    using outward = new HeldConnections();
    outward.open(
      {
        name: 'web/front-0 to the router',
        clientNamespace: netnsOf('web-front-0'),
        serverNamespace: netnsOf('tor'),
        serverAddress: '10.200.0.1',
      },
      7777,
    );
    assert.deepEqual(outward.speak(), []);
    const routes = inside('tor', 'ip', 'route', 'show', 'proto', 'bgp');
    assert.match(routes, /^192\.168\.\d+\.\d+\/26 .*\n\tnexthop via 172\.30\.0\.11 dev eth0/m);
  });

  test('is shown by "topology": who there is, what each tells of, and every session; and drawn', async () => {
    const svg = join(home, 'topology.svg');
    const { code, output } = await runLabCommand('topology', '--name', id, '--svg', svg);
    assert.equal(code, 0, output);
    assert.match(output, /4 BGP speakers, 5 of 5 sessions up/);
    assert.match(output, /^tor \(frr\) +router outside +64600 +172\.30\.0\.2 +10\.200\.0\.0\/24$/m);
    assert.match(output, /^node-1 +route reflector +64512 +172\.30\.0\.11 +192\.168\.\d+\.\d+\/26$/m);
    assert.match(output, /^node-1 +node-3 +IPv4 +reflection +up +\d{4}-/m);
    assert.match(output, /^tor \(frr\) +node-2 +IPv4 +eBGP +up +\d{4}-/m);
    assert.match(readFileSync(svg, 'utf8'), /^<svg [\s\S]*node-3[\s\S]*10\.200\.0\.0\/24[\s\S]*<\/svg>\n$/);
  });

  test('obeys every command of its page', async () => {
    for (const words of commandsOf(/^npx calico-lab (topology .*)$/gm)) {
      const [command = '', ...more] = words.replace('bgp.svg', join(home, 'bgp.svg')).split(' ');
      const { code, output } = await runLabCommand(command, '--name', id, ...more);
      assert.equal(code, 0, output);
    }
    const [root = ''] = commandsOf(/^export CALICO_ROOT=(\S+)$/gm);
    assert.equal(root.replace('/lab/', `/${id}/`), rootOf('node-2'));
    const asked = commandsOf(/^npx calicoctl (.*)$/gm);
    assert.equal(asked.length, 3);
    for (const words of asked) {
      const { code, stderr } = await calicoctl('node-2', ...words.split(' '));
      assert.equal(code, 0, stderr);
    }
  });

  test('is shown by calicoctl on each node, for people and for programs', async () => {
    const status = await calicoctl('node-2', 'node', 'status');
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /^Calico process is running\.\n\nIPv4 BGP status\n\+-+\+/);
    assert.match(status.stdout, /\| PEER ADDRESS \| +PEER TYPE +\| STATE \| +SINCE +\| +INFO +\|/);
    assert.match(status.stdout, /\| 172\.30\.0\.11 +\| node specific +\| up +\| \S+ +\| Established \|/);
    assert.match(status.stdout, /\| 172\.30\.0\.2 +\| global +\| up +\| \S+ +\| Established \|/);
    const { bgp } = JSON.parse((await calicoctl('node-2', 'node', 'status', '-o', 'json')).stdout);
    assert.deepEqual(
      bgp.sessions.map((one: Record<string, unknown>) => [one.peer, one.asNumber, one.state]),
      [
        ['172.30.0.2', 64600, 'Established'],
        ['172.30.0.11', 64512, 'Established'],
      ],
    );
    const routes = await calicoctl('node-2', 'node', 'routes');
    assert.match(
      routes.stdout,
      /\| 10\.200\.0\.0\/24 +\| 172\.30\.0\.2 +\| eth0 +\| peer 172\.30\.0\.2 +\| yes/,
    );
    assert.match(routes.stdout, /\| 192\.168\.\S+\/26 +\| blackhole +\| - +\| this node +\| yes/);
    const all = JSON.parse((await calicoctl('node-2', 'node', 'routes', '-o', 'json')).stdout);
    assert.ok(all.routes.some((route: { destination: string }) => route.destination === '10.200.0.0/24'));
  });

  test('answers a CalicoNodeStatus with its agents, sessions and routes', async () => {
    await apply({
      apiVersion: 'projectcalico.org/v3',
      kind: 'CalicoNodeStatus',
      metadata: { name: 'look' },
      spec: { node: 'node-2', classes: ['Agent', 'BGP', 'Routes'], updatePeriodSeconds: 1 },
    });
    const answer = async () => {
      const { stdout } = await calicoctl('node-2', 'get', 'caliconodestatus', 'look', '-o', 'json');
      return JSON.parse(stdout).status;
    };
    await until('it is answered', async () => Boolean((await answer())?.lastUpdated));
    const { agent, bgp, routes } = await answer();
    assert.equal(agent.birdV4.state, 'Ready');
    assert.deepEqual([bgp.numberEstablishedV4, bgp.numberNotEstablishedV4], [2, 0]);
    assert.ok(
      bgp.peersV4.some(
        (one: Record<string, string>) => one.peerIP === '172.30.0.2' && one.type === 'GlobalPeer',
      ),
    );
    assert.ok(routes.routesV4.some((one: Record<string, string>) => one.destination === '10.200.0.0/24'));
  });

  test('keeps connections between nodes while calico-node is killed, and while it gives way to another', async () => {
    const { pods } = await statusOf();
    for (const [position, [from, to]] of [
      ['web-front-0', 'web-front-1'],
      ['web-front-1', 'shop-pay-0'],
      ['shop-cart-0', 'web-cache-0'],
    ].entries()) {
      const server = pods.find(({ name }) => name === to);
      assert.ok(from && server);
      held.open(
        {
          name: `${from} to ${to}`,
          clientNamespace: netnsOf(from),
          serverNamespace: netnsOf(server.name),
          serverAddress: server.ip,
        },
        9100 + position,
      );
    }
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const { agents } = await statusOf();
      assert.equal(agents.size, 3);
      const birds = [...agents.keys()].map(birdOf);
      for (const pid of agents.values()) process.kill(pid, signal);
      await until(`every agent has a successor after ${signal}`, async () => {
        assert.deepEqual(held.speak(), []);
        const now = (await statusOf()).agents;
        return now.size === 3 && [...now].every(([name, pid]) => pid !== agents.get(name));
      });
      for (const node of agents.keys()) {
        await until(`${node} is ready after ${signal}`, async () => {
          assert.deepEqual(held.speak(), []);
          return (await isReady(node)).code === 0;
        });
      }
      // A killed agent leaves its BIRD to the next one; one that is asked to go has it restart gracefully.
      const after = [...agents.keys()].map(birdOf);
      for (const [index, pid] of after.entries()) assert.equal(pid === birds[index], signal === 'SIGKILL');
    }
    assert.ok(await isOpenEverywhere());
  });

  test('names the peer that is not there and why, and the object that cannot be used; the other sessions stay', async () => {
    const sessions = async () => {
      const { stdout } = await calicoctl('node-3', 'node', 'status', '-o', 'json');
      return JSON.parse(stdout).bgp.sessions as { peer: string; state: string; since: string }[];
    };
    const before = await sessions();
    const head = (name: string) => ({
      apiVersion: 'projectcalico.org/v3',
      kind: 'BGPPeer',
      metadata: { name },
    });
    await apply({
      ...head('nobody'),
      spec: { node: 'node-3', peerIP: '172.30.0.99', asNumber: 64999, filters: ['none'] },
    });
    await apply({
      ...head('secretive'),
      spec: {
        node: 'node-3',
        peerIP: '172.30.0.98',
        asNumber: 64998,
        password: { secretKeyRef: { name: 'none', key: 'none' } },
      },
    });
    await until('the peer is tried', async () => /172\.30\.0\.99/.test((await isReady('node-3')).stderr));
    await until('the reason is known', async () =>
      /99 \(\S+\), which is \w+: /.test((await isReady('node-3')).stderr),
    );
    const { code, stderr } = await isReady('node-3');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^BGP is not established with 172\.30\.0\.99 \(Node_172_30_0_99\), which is \w+: \S.*\n$/,
    );
    assert.equal((await isReady('node-2')).code, 0);
    const { stdout } = await calicoctl('node-3', 'node', 'status');
    assert.match(stdout, /\| 172\.30\.0\.99 +\| node specific +\| start \| \S+ +\| \w+: \S/);
    assert.match(
      stdout,
      /\nBGPPeer "nobody": its filter "none" does not exist; no route passes its sessions\n/,
    );
    assert.match(
      stdout,
      /\nBGPPeer "secretive": the Secret "kube-system\/none" of its password does not exist; it is not set up\n/,
    );
    const kept = (await sessions()).filter(({ peer }) => peer !== '172.30.0.99');
    assert.deepEqual(kept, before);
    const { code: seen, output } = await runLabCommand('topology', '--name', id);
    assert.equal(seen, 1);
    assert.match(output, /^172\.30\.0\.99 +node-3 +IPv4 +eBGP +down/m);
  });

  test('is gone after "down"', async () => {
    letGo();
    const { code, output } = await runLabCommand('down', '--name', id);
    assert.equal(code, 0, output);
    assert.deepEqual(leftovers(id), []);
  });

  const birdOf = (node: string) => Number(readFileSync(join(rootOf(node), 'run', 'bird.pid'), 'utf8'));
  /** Of a machine, or of a pod by the name's beginning. */
  const netnsOf = (name: string) => {
    const whole = `calico-lab-${id}.${name}`;
    const found = readdirSync('/run/netns').find((one) => one === whole || one.startsWith(`${whole}-`));
    return `/run/netns/${found ?? assert.fail(`no namespace of ${name}`)}`;
  };
  const statusOf = async () => {
    const { output } = await runLabCommand('status', '--name', id);
    const agents = [...output.matchAll(/^(node-\d) .* pid (\d+)/gm)];
    const pods = [...output.matchAll(/^(\w+) +(\S+) +node-\d +(192\.168\.\d+\.\d+)/gm)];
    return {
      agents: new Map(agents.map(([, name = '', pid]) => [name, Number(pid)])),
      pods: pods.map(([, namespace, pod, ip = '']) => ({ name: `${namespace}-${pod}`, ip })),
    };
  };
});
