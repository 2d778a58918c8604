// Other programs' hands on what is ours, in the real kernel: kept off where the kernel can, noticed and set right where not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pollReadable, readSysctl, writeSysctls } from '../../src/kernel/index.ts';
import { handsRound } from './hands.ts';
import { OneNode } from './one-node.ts';
import { seeded } from './seeded.ts';

/** The gate's own hands are always the same; torture tries others. */
const seed = Number(process.env.CALICO_SEED ?? 7);
/** Of what is forbidden, arrivals in each lane. */
const nothing = [0, 0, 0, 0];

describe('a table that is owned', () => {
  let node: OneNode;
  before(async () => {
    node = await OneNode.make('own', { owned: true });
  });
  after(() => node?.remove());

  test('outlives "nft flush ruleset", which opens nothing', async () => {
    node.nft('add', 'table', 'inet', 'foreign');
    const { forbidden, permitted } = await node.flood(async () => {
      for (let i = 0; i < 20; i++) node.nft('flush', 'ruleset');
    });
    assert.deepEqual(
      forbidden.map(({ arrived }) => arrived),
      nothing,
    );
    for (const { sent, arrived, name } of permitted) assert.equal(arrived, sent, name);
    assert.doesNotMatch(node.nft('list', 'tables'), /foreign/);
    assert.equal(node.repairs.get('table'), undefined);
  });

  test('is changed by nobody else', () => {
    for (const command of [
      ['delete', 'table', 'inet', 'calico'],
      ['flush', 'table', 'inet', 'calico'],
      ['flush', 'chain', 'inet', 'calico', 'cali-forward-egress'],
      ['add', 'chain', 'inet', 'calico', 'mine'],
      ['flush', 'set', 'inet', 'calico', 'cali-judged'],
    ]) {
      assert.throws(() => node.nft(...command), /Operation not permitted/, command.join(' '));
    }
  });

  test('shows no difference to what it should be', async () => {
    assert.equal(await node.dataplane.auditTable(), undefined);
  });

  test('stays, enforcing, when its owner is gone, and is taken over by the next', async () => {
    const next = await OneNode.make('heir', { owned: true });
    try {
      const { forbidden } = await next.flood(async () => {
        next.orphan();
        assert.doesNotMatch(next.nft('list', 'tables'), /owner/);
      });
      assert.deepEqual(
        forbidden.map(({ arrived }) => arrived),
        nothing,
      );
    } finally {
      await next.remove();
    }
  });
});

describe('a table that anyone may change', () => {
  let node: OneNode;
  before(async () => {
    node = await OneNode.make('open', { owned: false });
  });
  after(() => node?.remove());

  for (const command of [
    ['flush', 'ruleset'],
    ['delete', 'table', 'inet', 'calico'],
    ['flush', 'chain', 'inet', 'calico', 'cali-forward-ingress'],
    ['flush', 'map', 'inet', 'calico', 'cali-to-wl-dispatch'],
    ['add', 'table', 'inet', 'calico', '{ flags dormant; }'],
  ]) {
    test(`is made anew after "nft ${command.join(' ')}"`, async (t) => {
      const { forbidden, permitted } = await node.flood(async () => {
        const part = await node.repairedAfter(() => node.nftBeside(...command));
        assert.equal(part, 'table');
      });
      t.diagnostic(
        `open for ${Math.max(...forbidden.map(({ longestPassMs }) => longestPassMs)).toFixed(1)} ms at most, ` +
          `${forbidden.reduce((sum, { arrived }) => sum + arrived, 0)} of ${forbidden.reduce((sum, { sent }) => sum + sent, 0)} forbidden probes`,
      );
      const after = await node.flood(async () => {});
      assert.deepEqual(
        after.forbidden.map(({ arrived }) => arrived),
        nothing,
      );
      for (const { arrived, sent } of after.permitted) assert.equal(arrived, sent);
      assert.ok(permitted.length > 0);
      assert.equal(await node.dataplane.auditTable(), undefined);
    });
  }

  test('enforces without the table of stamps, which is missed, and made anew', async () => {
    for (const command of [
      ['delete', 'table', 'inet', 'calico-stamp'],
      ['flush', 'chain', 'inet', 'calico-stamp', 'cali-stamp'],
    ]) {
      await node.settled();
      await node.nftBeside(...command);
      assert.match((await node.dataplane.auditTable()) ?? '', /stamps/);
      const { forbidden, permitted } = await node.flood(async () => {});
      assert.deepEqual(
        forbidden.map(({ arrived }) => arrived),
        nothing,
      );
      for (const { arrived, sent } of permitted) assert.equal(arrived, sent);
      await node.repairedAfter(() => node.nftBeside('flush', 'chain', 'inet', 'calico', 'cali-input'));
      await node.settled();
      assert.equal(await node.dataplane.auditTable(), undefined);
    }
  });

  test('logs a fight over it once, and counts every round', () => {
    assert.equal(node.logged.filter(({ part }) => part === 'table').length, 1);
    assert.equal((node.repairs.get('table') ?? 0) >= 5, true);
  });

  test('is not touched for the sake of a foreign table', async () => {
    const before = node.repairs.get('table');
    node.nft('add', 'table', 'inet', 'foreign');
    node.nft('add', 'chain', 'inet', 'foreign', 'c', '{ type filter hook forward priority 5; }');
    await node.repairedAfter(() => node.nftBeside('flush', 'chain', 'inet', 'calico', 'cali-input'));
    assert.equal(node.repairs.get('table'), (before ?? 0) + 1);
    assert.match(node.nft('list', 'table', 'inet', 'foreign'), /hook forward/);
  });
});

describe('links, routes and neighbours', () => {
  let node: OneNode;
  before(async () => {
    node = await OneNode.make('ways', { owned: true });
  });
  after(() => node?.remove());

  const allPass = async () => {
    const { permitted, forbidden } = await node.flood(async () => {});
    for (const { arrived, sent, name } of permitted) assert.equal(arrived, sent, name);
    assert.deepEqual(
      forbidden.map(({ arrived }) => arrived),
      nothing,
    );
  };

  for (const [what, spoil] of [
    ["route of a pod's address", () => node.ip('route', 'del', '10.1.0.2/32')],
    ['neighbour of a pod', () => node.ip('neigh', 'del', '10.1.0.2', 'dev', node.linkOf('b'))],
    [
      "neighbour that has another's MAC address",
      () =>
        node.ip(
          'neigh',
          'replace',
          '10.1.0.2',
          'lladdr',
          '02:00:00:00:00:99',
          'dev',
          node.linkOf('b'),
          'nud',
          'permanent',
        ),
    ],
    ["pod's link that is set down", () => node.ip('link', 'set', node.linkOf('b'), 'down')],
  ] as const) {
    test(`a ${what} is set right, and packets pass again`, async () => {
      assert.equal(await node.repairedAfter(spoil), 'routing');
      await allPass();
    });
  }

  test("a pod's link that is renamed gets its name back, and opens nothing for longer than that takes", async (t) => {
    const link = node.linkOf('c');
    const { forbidden } = await node.flood(async () => {
      await node.repairedAfter(() => node.ip('link', 'set', link, 'name', 'harmless0'));
    });
    t.diagnostic(`${forbidden.map(({ longestPassMs }) => `${longestPassMs.toFixed(1)} ms`).join(', ')}`);
    assert.match(node.ip('link', 'show', link), /state UP/);
    await allPass();
  });

  test("a connection that began while a pod's link had another name is judged when the link has its own again", async () => {
    const port = 7777;
    using client = node.socket('a', { family: 4, type: 'datagram' });
    using server = node.socket('c', { family: 4, type: 'datagram' });
    client.bind({ address: '10.1.0.1', port });
    server.bind({ address: '10.1.0.3', port });
    const passes = (waitMs: number) => {
      client.sendTo(Buffer.from('.'), { address: '10.1.0.3', port });
      if (pollReadable([server], waitMs).length === 0) return false;
      server.receiveFrom();
      return true;
    };
    assert.ok(!passes(100));
    await node.repairedAfter(() => {
      node.ip('link', 'set', node.linkOf('c'), 'name', 'harmless0');
      // Nobody here has heard of it yet.
      assert.ok(passes(10_000));
    });
    assert.ok(!passes(100));
    await allPass();
  });

  for (const [what, spoil, shown] of [
    [
      'forwarding entry',
      () => node.fdb('del', '66:00:00:00:00:02', 'dev', 'vxlan.calico', 'dst', '172.30.0.12'),
      /10\.1\.0\.64\/26 via/,
    ],
    [
      'route to a block',
      () => node.ip('route', 'del', '10.1.0.64/26'),
      /via 10\.1\.0\.42 dev vxlan\.calico .*onlink/,
    ],
    [
      'blackhole of an own block',
      () => node.ip('route', 'del', 'blackhole', '10.1.0.0/26'),
      /blackhole 10\.1\.0\.0\/26/,
    ],
    [
      'tunnel device that is set down',
      () => node.ip('link', 'set', 'vxlan.calico', 'down'),
      /10\.1\.0\.64\/26 via/,
    ],
    ['tunnel device that is deleted', () => node.ip('link', 'del', 'vxlan.calico'), /10\.1\.0\.64\/26 via/],
    [
      'tunnel device that is renamed',
      () => node.ip('link', 'set', 'vxlan.calico', 'name', 'y0'),
      /10\.1\.0\.64\/26 via 10\.1\.0\.42 dev vxlan\.calico/,
    ],
    [
      'tunnel device that is set down and renamed',
      () => {
        node.ip('link', 'set', 'vxlan.calico', 'down');
        node.ip('link', 'set', 'vxlan.calico', 'name', 'y0');
      },
      /10\.1\.0\.64\/26 via 10\.1\.0\.42 dev vxlan\.calico/,
    ],
    [
      'tunnel device that is renamed and has another in its place',
      () => {
        node.ip('link', 'set', 'vxlan.calico', 'name', 'y0');
        node.ip('link', 'add', 'vxlan.calico', 'type', 'bridge');
      },
      /10\.1\.0\.64\/26 via 10\.1\.0\.42 dev vxlan\.calico/,
    ],
    [
      'tunnel neighbour',
      () => node.ip('neigh', 'del', '10.1.0.42', 'dev', 'vxlan.calico'),
      /10\.1\.0\.64\/26 via/,
    ],
  ] as const) {
    test(`a ${what} comes back`, async () => {
      assert.equal(await node.repairedAfter(spoil), 'routing');
      assert.match(node.ip('route', 'show'), shown);
      assert.match(
        node.ip('neigh', 'show', 'dev', 'vxlan.calico'),
        /10\.1\.0\.42 lladdr 66:00:00:00:00:02 PERMANENT/,
      );
      assert.doesNotMatch(node.ip('link', 'show'), / y0: /);
      assert.deepEqual(node.overlayFaults, []);
    });
  }

  test('a tunnel device that was renamed while nobody looked after it is known again', () => {
    const indexOf = (name: string) => /^(\d+):/.exec(node.ip('-o', 'link', 'show', name))?.[1];
    const before = indexOf('vxlan.calico');
    node.ip('link', 'set', 'vxlan.calico', 'name', 'y0');
    const { changed, lacking } = node.newOverlay(4).synchronise(node.calculator.state);
    assert.ok(changed.includes('link "y0" was "vxlan.calico"'), changed.join());
    assert.deepEqual(lacking, []);
    assert.equal(indexOf('vxlan.calico'), before);
    assert.match(node.ip('route', 'show'), /10\.1\.0\.64\/26 via 10\.1\.0\.42 dev vxlan\.calico/);
  });

  test("a stranger's route and link are left alone", async () => {
    node.ip('route', 'add', '192.0.2.0/24', 'via', '172.30.0.1', 'proto', 'static');
    node.ip('link', 'add', 'stranger', 'type', 'bridge');
    await node.repairedAfter(() => node.ip('route', 'del', '10.1.0.2/32'));
    assert.match(node.ip('route', 'show'), /192\.0\.2\.0\/24 via 172\.30\.0\.1/);
    assert.match(node.ip('link', 'show', 'stranger'), /stranger/);
  });

  test("a stranger's route over a pod's link is taken away, and the pod's own stays", async () => {
    const link = node.linkOf('b');
    const part = await node.repairedAfter(() => node.ip('route', 'add', '198.51.100.0/24', 'dev', link));
    assert.equal(part, 'routing');
    const routes = node.ip('route', 'show', 'dev', link);
    assert.doesNotMatch(routes, /198\.51\.100/);
    assert.match(routes, /10\.1\.0\.2/);
  });

  test('forwarding that is switched off is switched on again', async () => {
    const part = await node.repairedAfter(() => writeSysctls(node.namespace, { 'net/ipv4/ip_forward': 0 }));
    assert.equal(part, 'settings');
    assert.equal(readSysctl(node.namespace, 'net/ipv4/ip_forward'), '1');
    await allPass();
  });

  test("a pod's link that is removed is reported, once, and nothing else suffers", async () => {
    const before = node.repairs.get('routing') ?? 0;
    await node.repairedAfter(() => node.ip('link', 'del', node.linkOf('c')));
    assert.equal(node.repairs.get('routing'), before + 1);
    assert.deepEqual(node.dataplane.repairRouting(), []);
  });
});

for (const isOwned of [true, false]) {
  test(`whatever hands do, at any moment and two at once, is set right: a table that ${isOwned ? 'is owned' : 'anyone may change'}`, async (t) => {
    t.diagnostic(`seed ${seed} (CALICO_SEED)`);
    const random = seeded(seed);
    const node = await OneNode.make('hands', { owned: isOwned });
    const repairedMs: number[] = [];
    try {
      for (let round = 0; round < 25; round++) {
        const { hands, meanwhile, afterwards, isOpening, ...rest } = await handsRound(node, random, {
          isOwned,
        });
        repairedMs.push(rest.repairedMs);
        const forbidden = [...(isOpening ? [] : meanwhile.forbidden), ...afterwards.forbidden];
        for (const { arrived, name } of forbidden) assert.equal(arrived, 0, `${name} after ${hands}`);
        for (const { arrived, sent, name } of afterwards.permitted)
          assert.equal(arrived, sent, `${name} after ${hands}`);
      }
      t.diagnostic(`set right in ${repairedMs.map(Math.round).join(', ')} ms`);
    } finally {
      await node.remove();
    }
  });
}

test('a table that a build of another layout left behind is taken over whole', async () => {
  const before =
    'table inet calico { set cali-judged { type ipv4_addr; }; chain other { }; ' +
    'chain cali-input { type filter hook forward priority 0; jump other; }; }';
  const node = await OneNode.make('upgrade', { owned: true, before });
  try {
    assert.doesNotMatch(node.nft('list', 'table', 'inet', 'calico'), /chain other/);
    assert.equal(await node.dataplane.auditTable(), undefined);
    const { forbidden, permitted } = await node.flood(async () => {});
    assert.deepEqual(
      forbidden.map(({ arrived }) => arrived),
      nothing,
    );
    for (const { arrived, sent } of permitted) assert.equal(arrived, sent);
  } finally {
    await node.remove();
  }
});

test('settings of which the kernel does not tell are found at the next look', async () => {
  const node = await OneNode.make('look', { owned: true, lookEveryMs: 50 });
  try {
    const key = `net/ipv4/conf/${node.linkOf('a')}/route_localnet`;
    assert.equal(await node.repairedAfter(() => writeSysctls(node.namespace, { [key]: 0 })), 'settings');
    assert.equal(readSysctl(node.namespace, key), '1');
  } finally {
    await node.remove();
  }
});
