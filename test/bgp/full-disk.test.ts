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

test("BIRD's configuration stays as it was where the next finds no room, and the next is written when there is some", async () => {
  using disk = new SmallDisk();
  const { folder } = disk;
  const [configuration, log, socket, pid] = ['bird.conf', 'bird.log', 'bird.ctl', 'bird.pid'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const good = 'good '.repeat(1000);
  const next = 'next '.repeat(2000);
  writeFileSync(configuration, good, { mode: 0o644 });
  disk.fill();
  const troubles = { full: Promise.withResolvers<string>(), noProgram: Promise.withResolvers<void>() };
  const supervisor = new BirdSupervisor({
    program: join(folder, 'no-bird'),
    paths: { configuration, log, socket, pid },
    log: createLogger('test', 'silent'),
    hasRoutesToRecover: () => false,
    onTrouble: (trouble = 'none') => {
      if (trouble.startsWith('Cannot start BIRD: there is no program')) troubles.noProgram.resolve();
      else troubles.full.resolve(trouble);
    },
  });
  try {
    supervisor.apply(next);
    assert.match(await troubles.full.promise, /^ENOSPC/);
    assert.equal(readFileSync(configuration, 'utf8'), good);
    assert.deepEqual(disk.names(), ['bird.conf', 'filler']);
    disk.empty();
    await troubles.noProgram.promise;
    assert.equal(readFileSync(configuration, 'utf8'), next);
    assert.equal(statSync(configuration).mode & 0o777, 0o600);
    assert.deepEqual(disk.names(), ['bird.conf']);
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
