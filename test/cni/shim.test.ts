// The compiled shim and the server, as the container runtime meets them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { loadedBy } from '../../setup/floors.ts';
import { CniServer, shimPath } from '../../src/cni/index.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import { UnavailableError } from '../../src/datastore/index.ts';
import { log } from './test-node.ts';

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

  async function call(
    command: string,
    stdin: string,
    environment: Record<string, string> = variables,
    program = shim,
  ) {
    const child = spawn(program, [], { env: { ...environment, CNI_COMMAND: command }, stdio: 'pipe' });
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
    JSON.stringify({
      cniVersion: '1.1.0',
      name: 'net',
      type: 'calico',
      agent_socket: socket,
      deletions_dir: join(folder, 'deletions'),
      ...more,
    });

  test('loads no more than files and paths: every other room of the runtime costs each pod milliseconds', () => {
    const root = join(import.meta.dirname, '../..');
    const files = new Set<string>();
    const others = new Set<string>();
    const load = (file: string) => {
      if (files.has(file)) return;
      files.add(file);
      for (const specifier of loadedBy(root, file)) {
        if (specifier.startsWith('.')) load(relative(root, join(root, dirname(file), specifier)));
        else others.add(specifier);
      }
    };
    load('src/cni/shim/main.ts');
    assert.ok(files.size > 5);
    assert.deepEqual([...others].sort(), ['node:fs', 'node:path']);
  });

  test('says its versions without an agent', async () => {
    const { code, result } = await call('VERSION', '{"cniVersion":"0.4.0"}', {});
    assert.equal(code, 0);
    assert.deepEqual(result, {
      cniVersion: '0.4.0',
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
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

  test('passes megabytes to an agent that takes them slowly, and prints as many', async (t) => {
    const path = join(folder, 'slow.sock');
    const server = createServer(async (socket) => {
      let line = '';
      for await (const piece of socket.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
        line += piece;
        if (line.endsWith('\n')) break;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const { stdin } = JSON.parse(line);
      socket.end(`${JSON.stringify({ exitCode: 0, stdout: stdin })}\n`);
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const padding = 'ä'.repeat(1_500_000);
    const { code, result } = await call('ADD', configuration(path, { padding }));
    assert.equal(code, 0);
    assert.ok(result?.padding === padding);
  });

  for (const [index, answer] of [
    'null',
    '{}',
    '7',
    '{"exitCode":0}',
    '{"exitCode":"0","stdout":""}',
    '{"exitCode":0.5,"stdout":""}',
  ].entries()) {
    test(`takes ${answer} for no answer of an agent's, and keeps a DEL`, async (t) => {
      const path = join(folder, `other-${index}.sock`);
      const server = createServer((socket) => socket.end(answer));
      t.after(() => server.close());
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const more = { deletions_dir: join(folder, `other-${index}-deletions`) };
      const add = await call('ADD', configuration(path, more));
      assert.deepEqual([add.code, add.result?.code, add.stderr], [1, 11, '']);
      const del = await call('DEL', configuration(path, more));
      assert.deepEqual([del.code, del.result, del.stderr], [0, undefined, '']);
      assert.equal(readdirSync(more.deletions_dir).length, 1);
    });
  }

  test('refuses paths that are not absolute with code 7', async () => {
    for (const [key, path] of [
      ['agent_socket', ''],
      ['agent_socket', '9099'],
      ['agent_socket', 'run/cni.sock'],
      ['deletions_dir', ''],
      ['deletions_dir', 5],
    ] as const) {
      const { code, result } = await call('DEL', configuration(join(folder, 'nobody.sock'), { [key]: path }));
      assert.deepEqual([code, result?.code], [1, 7], `${key} ${path}`);
      assert.match(String(result?.msg), new RegExp(`"${key}" is .*, which is not an absolute path`));
    }
  });

  test('refuses a configuration that is not JSON with code 6', async () => {
    const { code, result } = await call('ADD', '{');
    assert.deepEqual([code, result?.code], [1, 6]);
  });

  test('an agent that stops does not wait for those who came and went without a word', async () => {
    const socketPath = join(folder, 'silent.sock');
    const nobody = {} as Plugin;
    const paths = { socketPath, deletionsPath: join(folder, 'silent-deletions') };
    const server = new CniServer({ ...paths, network: nobody, ipam: nobody, log });
    await server.listen();
    const client = connect(socketPath);
    await new Promise((resolve) => client.once('connect', resolve));
    const gone = new Promise((resolve) => client.once('close', resolve));
    client.end();
    await gone;
    await server.close();
  });

  describe('with an agent', () => {
    const asked: string[] = [];
    const plugin = (name: string): Plugin => ({
      add: async ({ pod }) => {
        asked.push(`${name} add ${pod?.name}`);
        if (pod?.name === 'broken') throw new Error('no address left', { cause: new Error('pool is full') });
        if (pod?.name === 'unlucky') throw new UnavailableError('the API server is away');
        return {
          links: {
            host: { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee' },
            pod: { name: 'eth0', mac: '02:00:00:00:00:01', namespacePath: '/run/netns/pod' },
            mtu: 1450,
          },
          addresses: ['10.0.0.1'],
        };
      },
      delete: async ({ pod }) => {
        asked.push(`${name} delete ${pod?.name}`);
      },
      check: async ({ pod }) => {
        asked.push(`${name} check ${pod?.name}`);
      },
      collectGarbage: async ({ valid }) => {
        asked.push(`${name} keep ${valid.map(({ containerId }) => containerId)}`);
      },
      status: async () => {
        asked.push(`${name} status`);
      },
    });
    let server: CniServer;
    let path: string;
    before(async () => {
      path = join(folder, 'run', 'cni.sock');
      server = new CniServer({
        socketPath: path,
        deletionsPath: join(folder, 'deletions'),
        network: plugin('calico'),
        ipam: plugin('calico-ipam'),
        log,
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
      assert.deepEqual([code, result, asked.at(-1)], [0, undefined, 'calico delete web-0']);
    });

    test('passes on why the agent could not, and what was behind it', async () => {
      const environment = { ...variables, CNI_ARGS: 'K8S_POD_NAMESPACE=test;K8S_POD_NAME=broken' };
      const { code, result } = await call('ADD', configuration(path), environment);
      assert.equal(code, 1);
      assert.deepEqual(result, {
        cniVersion: '1.1.0',
        code: 100,
        msg: 'no address left',
        details: 'pool is full',
      });
    });

    test('answers in the version that was asked for, also when it refuses', async () => {
      const { result } = await call('ADD', configuration(path, { cniVersion: '0.3.1', name: '?' }));
      assert.deepEqual([result?.cniVersion, result?.code], ['0.3.1', 7]);
    });

    test('CHECK, GC and STATUS reach the agent and print nothing', async () => {
      const valid = { 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] };
      for (const [command, more, expected] of [
        ['CHECK', { prevResult: {} }, 'calico check web-0'],
        ['GC', valid, 'calico keep c1'],
        ['STATUS', {}, 'calico status'],
      ] as const) {
        const { code, result } = await call(command, configuration(path, more));
        assert.deepEqual([code, result, asked.at(-1)], [0, undefined, expected]);
      }
    });

    test('under its other name it is the IPAM plugin', async () => {
      const link = join(folder, 'calico-ipam');
      symlinkSync(shim, link);
      const { result } = await call('ADD', configuration(path), variables, link);
      assert.equal(asked.at(-1), 'calico-ipam add web-0');
      assert.deepEqual(result?.ips, [{ address: '10.0.0.1/32', interface: 1 }]);
    });

    test('a datastore that is away is a reason to be called again', async () => {
      const environment = { ...variables, CNI_ARGS: 'K8S_POD_NAMESPACE=test;K8S_POD_NAME=unlucky' };
      const { result } = await call('ADD', configuration(path), environment);
      assert.deepEqual([result?.code, result?.msg], [11, 'the API server is away']);
    });

    test('fifty at once are all answered', async () => {
      const calls = await Promise.all(Array.from({ length: 50 }, () => call('ADD', configuration(path))));
      assert.deepEqual(new Set(calls.map(({ code }) => code)), new Set([0]));
    });
  });
});
