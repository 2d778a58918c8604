// Other programs' hands on what is ours, in the real kernel: kept off where the kernel can, noticed and set right where not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pollReadable, readSysctl, writeSysctls } from '../../src/kernel/index.ts';
import { families } from '../../src/lab/prober/families.ts';
import { handsRound, ways } from './hands.ts';
import { OneNode, plan } from './one-node.ts';
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

  test("a pod's link that is set down is set right, and packets pass again", async () => {
    assert.equal(await node.repairedAfter(() => node.ip('link', 'set', node.linkOf('b'), 'down')), 'routing');
    await allPass();
  });

  test("a pod's link that is renamed gets its name back, and opens nothing for longer than that takes", async (t) => {
    const link = node.linkOf('c');
    const { forbidden } = await node.flood(async () => {
      await node.repairedAfter(() => node.ip('link', 'set', link, 'name', 'harmless0'));
    });
    t.diagnostic(`${forbidden.map(({ longestPassMs }) => `${longestPassMs.toFixed(1)} ms`).join(', ')}`);
    assert.match(node.ip('link', 'show', link), /state UP/);
    await allPass();
  });

  for (const family of families) {
    const { pod, elsewhere, ownBlock, otherBlock, tunnel, otherTunnel, forwarding } = ways[family];
    const ip = (...args: string[]) => node.ip(`-${family}`, ...args);

    for (const [what, spoil] of [
      ["route of a pod's address", () => ip('route', 'del', pod)],
      ['neighbour of a pod', () => ip('neigh', 'del', pod, 'dev', node.linkOf('b'))],
      [
        "neighbour that has another's MAC address",
        () => {
          const another = ['lladdr', '02:00:00:00:00:99', 'dev', node.linkOf('b'), 'nud', 'permanent'];
          ip('neigh', 'replace', pod, ...another);
        },
      ],
    ] as const) {
      test(`a ${what} is set right, and packets pass again: IPv${family}`, async () => {
        assert.equal(await node.repairedAfter(spoil), 'routing');
        await allPass();
      });
    }

    test(`a connection that began while a pod's link had another name is judged when the link has its own again: IPv${family}`, async () => {
      const port = 7777;
      using client = node.socket('a', { family, type: 'datagram' });
      using server = node.socket('c', { family, type: 'datagram' });
      client.bind({ address: plan[family].pod(1), port });
      server.bind({ address: plan[family].pod(3), port });
      const passes = (waitMs: number) => {
        client.sendTo(Buffer.from('.'), { address: plan[family].pod(3), port });
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

    const isWhole = () => {
      const routes = ip('route', 'show').split('\n');
      const way = `${otherBlock} via ${otherTunnel.address} dev ${tunnel} `;
      assert.ok(
        routes.some((route) => route.startsWith(way) && route.includes('onlink')),
        routes.join('\n'),
      );
      assert.ok(
        routes.some((route) => route.startsWith(`blackhole ${ownBlock} `)),
        routes.join('\n'),
      );
      const neighbours = ip('neigh', 'show', 'dev', tunnel);
      assert.ok(
        neighbours.includes(`${otherTunnel.address} lladdr ${otherTunnel.mac} PERMANENT`),
        neighbours,
      );
      const entries = node.fdb('show', 'dev', tunnel);
      assert.ok(entries.includes(`${otherTunnel.mac} dst ${otherTunnel.node} `), entries);
      assert.ok(ip('address', 'show', 'dev', tunnel).includes(`${plan[family].tunnel(1)}/`));
      assert.doesNotMatch(node.ip('link', 'show'), / y0: /);
      assert.deepEqual(node.overlayFaults, []);
    };
    const rename = () => node.ip('link', 'set', tunnel, 'name', 'y0');
    const setDown = () => node.ip('link', 'set', tunnel, 'down');
    for (const [what, spoil] of [
      ['forwarding entry', () => node.fdb('del', otherTunnel.mac, 'dev', tunnel, 'dst', otherTunnel.node)],
      ['route to a block', () => ip('route', 'del', otherBlock)],
      ['blackhole of an own block', () => ip('route', 'del', 'blackhole', ownBlock)],
      ['tunnel address', () => ip('address', 'flush', 'dev', tunnel, 'scope', 'global')],
      ['tunnel device that is set down', setDown],
      ['tunnel device that is deleted', () => node.ip('link', 'del', tunnel)],
      ['tunnel device that is renamed', rename],
      [
        'tunnel device that is set down and renamed',
        () => {
          setDown();
          rename();
        },
      ],
      [
        'tunnel device that is renamed and has another in its place',
        () => {
          rename();
          node.ip('link', 'add', tunnel, 'type', 'bridge');
        },
      ],
      ['tunnel neighbour', () => ip('neigh', 'del', otherTunnel.address, 'dev', tunnel)],
    ] as const) {
      test(`a ${what} comes back: IPv${family}`, async () => {
        isWhole();
        assert.equal(await node.repairedAfter(spoil), 'routing');
        isWhole();
      });
    }

    test(`a tunnel device that was renamed while nobody looked after it is known again: IPv${family}`, () => {
      const indexOf = (name: string) => /^(\d+):/.exec(node.ip('-o', 'link', 'show', name))?.[1];
      const before = indexOf(tunnel);
      rename();
      const { changed, lacking } = node.newOverlay(family).synchronise(node.calculator.state);
      assert.ok(changed.includes(`link "y0" was "${tunnel}"`), changed.join());
      assert.deepEqual(lacking, []);
      assert.equal(indexOf(tunnel), before);
      isWhole();
    });

    test(`a stranger's route and link are left alone: IPv${family}`, async () => {
      const [theirs, via] = family === 4 ? ['192.0.2.0/24', '172.30.0.1'] : ['2001:db8:2::/64', 'fd30::1'];
      ip('route', 'add', theirs, 'via', via, 'proto', 'static');
      node.ip('link', 'add', `stranger${family}`, 'type', 'bridge');
      await node.repairedAfter(() => ip('route', 'del', pod));
      assert.ok(ip('route', 'show').includes(`${theirs} via ${via}`));
      assert.match(node.ip('link', 'show', `stranger${family}`), /stranger/);
    });

    test(`a stranger's route over a pod's link is taken away, and the pod's own stays: IPv${family}`, async () => {
      const link = node.linkOf('b');
      assert.equal(await node.repairedAfter(() => ip('route', 'add', elsewhere, 'dev', link)), 'routing');
      const routes = ip('route', 'show', 'dev', link);
      assert.ok(!routes.includes(elsewhere), routes);
      assert.ok(routes.includes(pod), routes);
    });

    test(`forwarding that is switched off is switched on again: IPv${family}`, async () => {
      const part = await node.repairedAfter(() => writeSysctls(node.namespace, { [forwarding]: 0 }));
      assert.equal(part, 'settings');
      assert.equal(readSysctl(node.namespace, forwarding), '1');
      await allPass();
    });
  }

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
