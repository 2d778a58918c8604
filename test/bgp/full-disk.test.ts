// What the BGP agent leaves on a disk that is full: what was there before, whole, and no beginnings of anything else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BirdSupervisor } from '../../src/bgp/bird/supervisor.ts';
import { BgpAgent, bgpPaths } from '../../src/bgp/index.ts';
import { MemoryDatastore } from '../../src/datastore/index.ts';
import { createLogger } from '../../src/process/index.ts';
import { nodeAnnotations, nodes } from '../../src/resources/index.ts';

/** A file system of its own with very little room. */
class SmallDisk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'calico-small-disk-'));

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'calico-test', this.folder]);
  }

  fill(): void {
    const chunk = Buffer.alloc(4096);
    assert.throws(
      () => {
        for (;;) writeFileSync(join(this.folder, 'filler'), chunk, { flag: 'a' });
      },
      { code: 'ENOSPC' },
    );
  }

  empty(): void {
    rmSync(join(this.folder, 'filler'));
  }

  names(): string[] {
    return readdirSync(this.folder).sort();
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.folder]);
    rmdirSync(this.folder);
  }
}

/** Asks for a BIRD that cannot be started, for there is no such program. */
function supervise(folder: string, onTrouble: (trouble: string) => void) {
  const at = (name: string) => join(folder, name);
  const paths = {
    configuration: at('bird.conf'),
    log: at('bird.log'),
    socket: at('bird.ctl'),
    pid: at('bird.pid'),
  };
  const supervisor = new BirdSupervisor({
    program: at('no-bird'),
    paths,
    log: createLogger('test', 'silent'),
    hasRoutesToRecover: () => false,
    onTrouble: (trouble = 'none') => onTrouble(trouble),
  });
  return { configuration: paths.configuration, supervisor };
}

const noProgram = /^Cannot start BIRD: there is no program/;

test("BIRD's configuration stays as it was where the next finds no room, and the next is written when there is some", async () => {
  using disk = new SmallDisk();
  const [full, written] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  const { configuration, supervisor } = supervise(disk.folder, (trouble) => {
    if (noProgram.test(trouble)) written.resolve();
    else full.resolve(trouble);
  });
  const good = 'good '.repeat(1000);
  const next = 'next '.repeat(2000);
  writeFileSync(configuration, good, { mode: 0o644 });
  disk.fill();
  try {
    supervisor.apply(next);
    assert.match(await full.promise, /^ENOSPC/);
    assert.equal(readFileSync(configuration, 'utf8'), good);
    assert.deepEqual(disk.names(), ['bird.conf', 'filler']);
    disk.empty();
    await written.promise;
    assert.equal(readFileSync(configuration, 'utf8'), next);
    assert.equal(statSync(configuration).mode & 0o777, 0o600);
    assert.deepEqual(disk.names(), ['bird.conf']);
  } finally {
    supervisor.abandon();
  }
});

test('a BIRD whose configuration is there already needs no room to start', async () => {
  using disk = new SmallDisk();
  const told = Promise.withResolvers<string>();
  const { configuration, supervisor } = supervise(disk.folder, told.resolve);
  const good = 'good '.repeat(1000);
  writeFileSync(configuration, good, { mode: 0o600 });
  disk.fill();
  try {
    supervisor.apply(good);
    assert.match(await told.promise, noProgram);
    assert.equal(readFileSync(configuration, 'utf8'), good);
  } finally {
    supervisor.abandon();
  }
});

test('word of BGP for others that finds no room leaves no beginning behind', async () => {
  using disk = new SmallDisk();
  const datastore = new MemoryDatastore();
  await datastore.create(nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'a', labels: {}, annotations: { [nodeAnnotations.ipv4Address]: '10.0.0.1/24' } },
  });
  const log = createLogger('test', 'silent');
  const warned = Promise.withResolvers<string>();
  let isBirdWaiting = false;
  log.error = () => {
    isBirdWaiting = true;
  };
  // Not before BIRD is left alone for a while: what starts it would write after the disk has gone.
  log.warn = (_: unknown, text?: unknown) => {
    if (isBirdWaiting) warned.resolve(String(text));
  };
  const agent = new BgpAgent({
    node: 'a',
    namespace: 'x',
    datastore,
    paths: { ...bgpPaths(disk.folder), report: join(disk.folder, 'bgp.json') },
    program: join(disk.folder, 'no-bird'),
    hasRoutesToRecover: () => false,
    adoptRoutes: () => {},
    hearPodsAt: () => {},
    log,
  });
  disk.fill();
  try {
    agent.start();
    assert.equal(await warned.promise, 'Cannot leave word of BGP for others');
    assert.deepEqual(
      disk.names().filter((name) => name.startsWith('bgp.json')),
      [],
    );
  } finally {
    await agent.stop();
  }
});
