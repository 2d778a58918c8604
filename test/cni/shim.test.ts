// The compiled shim and the server, as the container runtime meets them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { CniServer, shimPath } from '../../src/cni/index.ts';

describe('the CNI plugin', () => {
  let folder: string;
  let shim: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'calico-cni-'));
    shim = shimPath();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const variables = {
    CNI_CONTAINERID: 'c0ffee',
    CNI_NETNS: '/run/netns/pod',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: 'K8S_POD_NAMESPACE=test;K8S_POD_NAME=web-0',
  };

  async function call(command: string, stdin: string, environment: Record<string, string> = variables) {
    const child = spawn(shim, [], { env: { ...environment, CNI_COMMAND: command }, stdio: 'pipe' });
    child.stdin.on('error', () => {}); // a plugin that refuses early need not read all of its stdin
    child.stdin.end(stdin);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return {
      code,
      stderr,
      result: stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>),
    };
  }

  const configuration = (socket: string, more: object = {}) =>
    JSON.stringify({ cniVersion: '1.0.0', name: 'net', type: 'calico', agent_socket: socket, ...more });

  test('says its versions without an agent', async () => {
    const { code, result } = await call('VERSION', '{"cniVersion":"0.4.0"}', {});
    assert.equal(code, 0);
    assert.deepEqual(result, {
      cniVersion: '0.4.0',
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'],
    });
  });

  test('asks to be called again, with code 11, when no agent answers', async () => {
    const { code, result } = await call('ADD', configuration(join(folder, 'nobody.sock')));
    assert.equal(code, 1);
    assert.equal(result?.code, 11);
    assert.match(String(result?.msg), /calico-node does not answer on ".*nobody\.sock"/);
  });

  test('asks to be called again when the agent dies in the middle', async () => {
    const path = join(folder, 'dying.sock');
    const server = createServer((socket) => socket.end('{"exitCode":0,"std'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { code, result } = await call('ADD', configuration(path));
    server.close();
    assert.deepEqual([code, result?.code], [1, 11]);
  });

  test('refuses a configuration that is not JSON with code 6', async () => {
    const { code, result } = await call('ADD', '{');
    assert.deepEqual([code, result?.code], [1, 6]);
  });

  describe('with an agent', () => {
    const asked: string[] = [];
    let server: CniServer;
    let path: string;
    before(async () => {
      path = join(folder, 'run', 'cni.sock');
      server = new CniServer({
        socketPath: path,
        network: {
          add: async ({ pod }) => {
            asked.push(`add ${pod.name}`);
            if (pod.name === 'broken')
              throw new Error('no address left', { cause: new Error('pool is full') });
            return {
              hostInterface: { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' },
              podInterface: { name: 'eth0', mac: '02:00:00:00:00:01', namespacePath: '/run/netns/pod' },
              addresses: ['10.0.0.1'],
            };
          },
          delete: async ({ pod }) => {
            asked.push(`delete ${pod.name}`);
          },
        },
      });
      await server.listen();
    });
    after(() => server.close());

    test('only root may open the socket', () => assert.equal(statSync(path).mode & 0o777, 0o600));

    test('prints what the agent answers to ADD', async () => {
      const { code, result } = await call('ADD', configuration(path));
      assert.equal(code, 0);
      assert.deepEqual(result?.ips, [{ address: '10.0.0.1/32', interface: 1 }]);
    });

    test('prints nothing on DEL', async () => {
      const { code, result } = await call('DEL', configuration(path));
      assert.deepEqual([code, result, asked.at(-1)], [0, undefined, 'delete web-0']);
    });

    test('passes on why the agent could not, and what was behind it', async () => {
      const environment = { ...variables, CNI_ARGS: 'K8S_POD_NAMESPACE=test;K8S_POD_NAME=broken' };
      const { code, result } = await call('ADD', configuration(path), environment);
      assert.equal(code, 1);
      assert.deepEqual(result, {
        cniVersion: '1.0.0',
        code: 100,
        msg: 'no address left',
        details: 'pool is full',
      });
    });

    test('answers in the version that was asked for, also when it refuses', async () => {
      const { result } = await call('ADD', configuration(path, { cniVersion: '0.3.1', name: '?' }));
      assert.deepEqual([result?.cniVersion, result?.code], ['0.3.1', 7]);
    });

    test('fifty at once are all answered', async () => {
      const calls = await Promise.all(Array.from({ length: 50 }, () => call('ADD', configuration(path))));
      assert.deepEqual(new Set(calls.map(({ code }) => code)), new Set([0]));
    });
  });
});
