// Listening sockets that others made: the server takes them as file descriptors, and ends when told to. Connections: who
// ends the idle ones.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startApiServer } from '../../src/apiserver/index.ts';
import { KubernetesDatastore } from '../../src/datastore/index.ts';
import { namespaces } from '../../src/resources/index.ts';
import { accessTo } from '../datastore/access.ts';

const door = new URL('../../src/apiserver/index.ts', import.meta.url);

/** Serves descriptor 3, says on which port, and closes when its standard input ends. */
const program = `
  import { startApiServer } from ${JSON.stringify(door.href)};
  const server = await startApiServer({ database: ':memory:' });
  const { port } = await server.listen({ fd: 3 });
  console.log(port);
  process.stdin.on('end', () => server.close()).resume();
`;

test('a listening socket that was handed over is served, and after closing the process ends by itself', async () => {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit', fd],
    timeout: 100_000,
  });
  // From here on the child alone accepts.
  socket.close();
  assert.ok(child.stdin && child.stdout);
  const line = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  assert.equal(line.value, String(port));
  const watch = await fetch(`http://127.0.0.1:${port}/api/v1/pods?watch=1&resourceVersion=0`);
  assert.equal(watch.status, 200);
  const exit = once(child, 'exit');
  child.stdin.end();
  assert.deepEqual(await exit, [0, null]);
  await watch.text();
});

test('a client that does nothing for seconds finds its connection as it was', async (t) => {
  const server = await startApiServer({ database: ':memory:' });
  t.after(() => server.close());
  const store = new KubernetesDatastore(accessTo(server.url), { retryForMs: 0 });
  t.after(() => store.close());
  await store.list(namespaces);
  await setTimeout(100);
  // Both ends wake at once, the server with the right to give up first what was idle for longer than it bears.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 7_000);
  await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } });
});
