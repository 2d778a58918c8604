// What pods ask of their packets' path by annotation, seen in the packets: sources, limits, DSCP, floating addresses; and
// what they may not claim of their neighbourhood.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { defaultPath } from '../../src/dataplane/index.ts';
import { type InetSocket, pollReadable } from '../../src/kernel/index.ts';
import { addressOf, type Family, families, PathNode } from './path-node.ts';

const qos = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`qos.projectcalico.org/${name}`, value]));

describe('a pod', () => {
  let node: PathNode;
  before(async () => {
    node = await PathNode.make('podpath', {
      path: { ...defaultPath, workloadSourceSpoofing: 'Any', floatingIPs: 'Enabled' },
    });
    node.setPools({ cidr: '10.1.0.0/24' }, { cidr: 'fd00:1::/64' });
  });
  afterEach(() => ask('a', {}));
  after(() => node?.remove());

  const ask = (pod: 'a' | 'b', annotations: Record<string, string>) => {
    node.setPod(pod, annotations);
    node.apply();
  };

  /** How many of so many datagrams, sent at once, arrive. */
  const arrived = (
    from: 'a' | 'outside',
    to: 'a' | 'outside',
    family: Family,
    count: number,
    bytes = 1,
  ): number => {
    using receiver = node.socket(to, { family, type: 'datagram' });
    using sender = node.socket(from, { family, type: 'datagram' });
    receiver.bind({ address: addressOf[to][family], port: 7000 });
    let received = 0;
    for (let n = 0; n < count; n++) {
      sender.sendTo(new Uint8Array(bytes), { address: addressOf[to][family], port: 7000 });
      // Read as they come, so that none is lost for want of room.
      if (receiver.receive()) received++;
    }
    while (pollReadable([receiver], 100).length > 0) if (receiver.receive()) received++;
    return received;
  };

  test('sends from another’s address only where its annotation names it', () => {
    const forged: Readonly<Record<Family, string>> = { 4: '192.0.2.9', 6: 'fd99::9' };
    node.run('a', 'ip', 'addr', 'add', '192.0.2.9/32', 'dev', 'eth0');
    node.run('a', 'ip', 'addr', 'add', 'fd99::9/128', 'dev', 'eth0', 'nodad');
    const sends = (family: Family) => {
      using receiver = node.socket('outside', { family, type: 'datagram' });
      using sender = node.socket('a', { family, type: 'datagram' });
      receiver.bind({ address: addressOf.outside[family], port: 7000 });
      sender.bind({ address: forged[family], port: 0 });
      sender.sendTo(Buffer.from('x'), { address: addressOf.outside[family], port: 7000 });
      return pollReadable([receiver], 100).length > 0 ? receiver.receiveFrom()?.from.address : undefined;
    };
    assert.deepEqual(families.map(sends), [undefined, undefined]);
    ask('a', { 'cni.projectcalico.org/allowedSourcePrefixes': '["192.0.2.0/24","fd99::/64"]' });
    assert.deepEqual(families.map(sends), [forged[4], forged[6]]);
    node.reconfigure({ path: { ...defaultPath, floatingIPs: 'Enabled' } });
    assert.deepEqual(families.map(sends), [undefined, undefined], 'the node does not let it');
    node.reconfigure({ path: { ...defaultPath, workloadSourceSpoofing: 'Any', floatingIPs: 'Enabled' } });
    node.run('a', 'ip', 'addr', 'delete', '192.0.2.9/32', 'dev', 'eth0');
    node.run('a', 'ip', 'addr', 'delete', 'fd99::9/128', 'dev', 'eth0');
  });

  test('sends and gets no more packets than it asked for', () => {
    for (const family of families) {
      assert.equal(arrived('a', 'outside', family, 30), 30);
      ask('a', qos({ egressPacketRate: '1', egressPacketBurst: '7' }));
      const sent = arrived('a', 'outside', family, 30);
      assert.ok(sent >= 7 && sent < 30, `${sent} sent`);
      assert.equal(arrived('outside', 'a', family, 30), 30);
      ask('a', qos({ ingressPacketRate: '1', ingressPacketBurst: '4' }));
      const got = arrived('outside', 'a', family, 30);
      assert.ok(got >= 4 && got < 30, `${got} got`);
      ask('a', {});
      assert.equal(arrived('a', 'outside', family, 30), 30);
    }
  });

  test('sends and gets packets at the rate that it asked for, for as long as it goes on', () => {
    const [perSecond, burst, wanted] = [200, 5, 60];
    for (const family of families) {
      for (const [annotation, from, to] of [
        ['egress', 'a', 'outside'],
        ['ingress', 'outside', 'a'],
      ] as const) {
        using receiver = node.socket(to, { family, type: 'datagram' });
        using sender = node.socket(from, { family, type: 'datagram' });
        receiver.bind({ address: addressOf[to][family], port: 7000 });
        ask(
          'a',
          qos({ [`${annotation}PacketRate`]: `${perSecond}`, [`${annotation}PacketBurst`]: `${burst}` }),
        );
        const begin = performance.now();
        const deadline = begin + 10_000;
        let received = 0;
        // Beyond the burst a packet passes only for the time that has gone by, however slow the machine is.
        while (received < burst + wanted) {
          assert.ok(performance.now() < deadline, `${received} arrived, and no more`);
          sender.sendTo(Buffer.from('x'), { address: addressOf[to][family], port: 7000 });
          if (receiver.receive()) received++;
        }
        const seconds = (performance.now() - begin) / 1000;
        assert.ok(received <= burst + 1 + perSecond * seconds, `${received} in ${seconds} s`);
        ask('a', {});
      }
    }
  });

  test('sends and gets no more bytes than it asked for', () => {
    for (const family of families) {
      const limits = (direction: string) => ({
        [`${direction}Bandwidth`]: '1k',
        [`${direction}Burst`]: '800k',
      });
      ask('a', qos(limits('egress')));
      const sent = arrived('a', 'outside', family, 200, 1000);
      // 800 kilobits are 100,000 bytes; headers count too.
      assert.ok(sent >= 90 && sent <= 110, `${sent} sent`);
      ask('a', qos(limits('ingress')));
      const got = arrived('outside', 'a', family, 200, 1000);
      assert.ok(got >= 90 && got <= 110, `${got} got`);
      assert.equal(arrived('a', 'outside', family, 200, 1000), 200);
      ask('a', {});
    }
  });

  test('sends and gets no burst faster than its peak rate lets it', () => {
    // Twice what would arrive at once is sent, in packets of a kilobyte and their headers.
    const arrivedWith = (annotation: 'egress' | 'ingress', family: Family, minBurst?: string): number => {
      const wish = {
        [`${annotation}Bandwidth`]: '1k',
        [`${annotation}Burst`]: '80M',
        [`${annotation}Peakrate`]: '2k',
        ...(minBurst && { [`${annotation}Minburst`]: minBurst }),
      };
      ask('a', qos(wish));
      const [from, to] = annotation === 'egress' ? (['a', 'outside'] as const) : (['outside', 'a'] as const);
      return arrived(from, to, family, 200, 1000);
    };
    for (const family of families) {
      for (const annotation of ['egress', 'ingress'] as const) {
        const most = arrivedWith(annotation, family, '100k');
        assert.ok(most >= 90 && most <= 110, `${most} of 100 kB`);
        // The least that lets packets through that were joined on their way: 64 KiB.
        const least = arrivedWith(annotation, family);
        assert.ok(least >= 55 && least <= 75, `${least} of 64 KiB`);
        ask('a', {});
      }
    }
  });

  for (const [annotation, from, to] of [
    ['ingressMaxConnections', 'outside', 'a'],
    ['egressMaxConnections', 'a', 'outside'],
  ] as const) {
    test(`has no more connections than its ${annotation}; one that ends makes room`, () => {
      for (const family of families) {
        using server = node.socket(to, { family, type: 'stream' });
        server.bind({ address: addressOf[to][family], port: 8000 });
        server.listen();
        ask('a', qos({ [annotation]: '2' }));
        const clients: InetSocket[] = [];
        const connects = (): boolean => {
          const client = node.socket(from, { family, type: 'stream' });
          clients.push(client);
          client.resetOnClose();
          client.connect({ address: addressOf[to][family], port: 8000 });
          // A refusal makes the client readable, a connection the server.
          const [ready] = pollReadable([server, client], 10_000);
          server.accept();
          return ready === server;
        };
        try {
          assert.deepEqual([connects(), connects(), connects()], [true, true, false]);
          clients[0]?.close();
          // The kernel forgets what has ended within a tick of its clock.
          const deadline = Date.now() + 10_000;
          while (!connects()) assert.ok(Date.now() < deadline, 'the one that ended made no room');
        } finally {
          for (const client of clients) client.close();
          ask('a', {});
        }
      }
    });

    test(`has as many connections as it likes the other way of its ${annotation}`, () => {
      for (const family of families) {
        using server = node.socket(from, { family, type: 'stream' });
        server.bind({ address: addressOf[from][family], port: 8000 });
        server.listen();
        ask('a', qos({ [annotation]: '1' }));
        const clients: InetSocket[] = [];
        try {
          for (let n = 0; n < 3; n++) {
            const client = node.socket(to, { family, type: 'stream' });
            clients.push(client);
            client.resetOnClose();
            client.connect({ address: addressOf[from][family], port: 8000 });
            assert.equal(pollReadable([server, client], 10_000)[0], server);
            server.accept();
          }
        } finally {
          for (const client of clients) client.close();
          ask('a', {});
        }
      }
    });
  }

  test('marks what leaves the cluster, and nothing else, with the DSCP value that it asked for', () => {
    const dscpAt = (place: 'outside' | 'b'): number => {
      using receiver = node.socket(place, { family: 4, type: 'raw', protocol: 17 });
      using sender = node.socket('a', { family: 4, type: 'datagram' });
      sender.sendTo(Buffer.from('x'), { address: addressOf[place][4], port: 7001 });
      assert.ok(pollReadable([receiver], 10_000).length > 0);
      return (receiver.receive()?.[1] ?? 0) >> 2;
    };
    const seen6 = (): number => {
      node.nft(
        'outside',
        'table ip6 t { chain c { type filter hook prerouting priority 0; ip6 dscp ef counter; }; }',
      );
      arrived('a', 'outside', 6, 3);
      const count = /counter packets (\d+)/.exec(node.run('outside', 'nft', 'list', 'table', 'ip6', 't'));
      node.run('outside', 'nft', 'delete', 'table', 'ip6', 't');
      return Number(count?.[1]);
    };
    assert.deepEqual([dscpAt('outside'), seen6()], [0, 0]);
    ask('a', qos({ dscp: 'EF' }));
    assert.deepEqual([dscpAt('outside'), dscpAt('b'), seen6()], [46, 0, 3]);
  });

  test('is reached by its floating addresses, from outside, from the node, from others and from itself', () => {
    const floating: Readonly<Record<Family, string>> = { 4: '10.77.0.1', 6: 'fd00:77::1' };
    const to = (family: Family) => ({ address: floating[family], port: 7000 });
    ask('b', { 'cni.projectcalico.org/floatingIPs': JSON.stringify(Object.values(floating)) });
    for (const family of families) {
      for (const from of ['outside', 'a', 'node'] as const)
        assert.ok(node.senderSeen(from, 'b', family, 7000, to(family)), from);
      assert.equal(node.senderSeen('b', 'b', family, 7000, to(family)).address, floating[family]);
    }
    ask('b', {});
    for (const family of families)
      assert.equal(node.reaches('outside', 'b', family, 7000, to(family)), false);
  });

  test('leads a floating address that two ask for to one of them, always the same, and closes neither', () => {
    const floating: Readonly<Record<Family, string>> = { 4: '10.77.0.2', 6: 'fd00:77::2' };
    const to = (family: Family) => ({ address: floating[family], port: 7000 });
    const wish = {
      'cni.projectcalico.org/floatingIPs': JSON.stringify([...Object.values(floating), floating[4]]),
    };
    const leadsTo = (pod: 'a' | 'b') => {
      for (const family of families) {
        for (const one of ['a', 'b'] as const) {
          assert.equal(
            node.reaches('outside', one, family, 7000, to(family)),
            one === pod,
            `${one}: ${family}`,
          );
          assert.ok(node.reaches('outside', one, family, 7000), `${one} by its own address`);
        }
      }
    };
    ask('b', wish);
    leadsTo('b');
    ask('a', wish);
    leadsTo('a');
    ask('b', {});
    ask('b', wish);
    leadsTo('a');
    ask('a', {});
    leadsTo('b');
    ask('b', {});
  });

  /** Whether a message of neighbour discovery gets from a pod to its node. Its checksum the kernel fills in. */
  const tells = (message: Buffer): boolean => {
    node.nft(
      'node',
      `table ip6 seen { chain c { type filter hook prerouting priority 0; icmpv6 type ${message[0]} counter; }; }`,
    );
    using sender = node.socket('a', { family: 6, type: 'raw', protocol: 58 });
    sender.bind({ address: addressOf.a[6], port: 0 });
    sender.sendTo(message, { address: addressOf.node[6], port: 0 });
    const seen = /counter packets (\d+)/.exec(node.run('node', 'nft', 'list', 'table', 'ip6', 'seen'))?.[1];
    node.run('node', 'nft', 'delete', 'table', 'ip6', 'seen');
    return Number(seen) > 0;
  };
  /** Says "override", RFC 4861 section 4.4, and names a MAC address where it is told one. */
  const advertisement = (target: string, mac = ''): Buffer =>
    Buffer.concat([
      Buffer.from('8800000020000000', 'hex'),
      bytesOf(target),
      Buffer.from(mac && `0201${mac.replaceAll(':', '')}`, 'hex'),
    ]);

  test('cannot tell its node that it has another’s IPv6 address', () => {
    assert.deepEqual(
      ['fd00:1::1', 'fd00:1::2'].map((target) => tells(advertisement(target))),
      [true, false],
    );
  });

  test('cannot tell its node that it is a router, or knows a better one', () => {
    assert.deepEqual(
      [134, 137].map((type) => tells(Buffer.from([type, ...new Array<number>(39).fill(0)]))),
      [false, false],
    );
  });

  test('changes nothing for anybody by naming another’s link-layer address as its own', () => {
    const neighbours = (pod: 'a' | 'b') =>
      node.run('node', 'ip', '-6', 'neigh', 'show', addressOf[pod][6], 'dev', node.linkOf(pod));
    const before = [neighbours('a'), neighbours('b')];
    const other = / lladdr (\S+)/.exec(before[1] ?? '')?.[1] ?? assert.fail('nobody knows the other');
    assert.equal(tells(advertisement(addressOf.a[6], other)), true);
    assert.deepEqual([neighbours('a'), neighbours('b')], before);
    for (const to of ['a', 'b'] as const) assert.ok(node.reaches('outside', to, 6));
  });

  test('is not heard by its node in IPv4 packets that carry the protocol number of ICMPv6', () => {
    const arrives = (protocol: number): boolean => {
      using receiver = node.socket('node', { family: 4, type: 'raw', protocol });
      using marker = node.socket('node', { family: 4, type: 'raw', protocol: 59 });
      using sender = node.socket('a', { family: 4, type: 'raw', protocol });
      using last = node.socket('a', { family: 4, type: 'raw', protocol: 59 });
      const to = { address: addressOf.node[4], port: 0 };
      // A neighbour solicitation, as it looks; what is sent after it does not overtake it.
      sender.sendTo(Buffer.from([135, ...new Array<number>(23).fill(0)]), to);
      last.sendTo(Buffer.from('last'), to);
      assert.ok(pollReadable([marker], 10_000).length > 0);
      return receiver.receive() !== undefined;
    };
    assert.deepEqual([arrives(59), arrives(58)], [true, false]);
  });

  test('cannot tell its node by ARP that it has another’s address', () => {
    // Without permanent neighbours the node believes what it hears, and asks where it does not know.
    const link = node.linkOf('a');
    node.run('node', 'sysctl', '-qw', `net.ipv4.conf.${link}.arp_accept=1`);
    node.run('node', 'ip', 'neigh', 'flush', 'dev', link, 'nud', 'permanent');
    const told = (address: string): boolean => {
      // Adding an address makes the kernel announce it (RFC 5227), over and over until it is heard.
      node.run('a', 'sysctl', '-qw', 'net.ipv4.conf.eth0.arp_notify=1');
      node.run('a', 'ip', 'link', 'set', 'eth0', 'down');
      node.run('a', 'ip', 'addr', 'replace', `${address}/32`, 'dev', 'eth0');
      node.run('a', 'ip', 'link', 'set', 'eth0', 'up');
      const deadline = Date.now() + 2_000;
      for (; Date.now() < deadline; ) {
        if (node.run('node', 'ip', 'neigh', 'show', 'dev', link).includes(address)) return true;
        if (address !== addressOf.a[4] && dropped() > 0) return false;
      }
      return false;
    };
    const dropped = (): number =>
      Number(/counter packets (\d+)/.exec(node.run('node', 'nft', 'list', 'table', 'arp', 'calico'))?.[1]);
    assert.equal(told(addressOf.a[4]), true);
    assert.equal(dropped(), 0);
    assert.equal(told('10.1.0.77'), false);
    assert.ok(dropped() > 0);
    assert.equal(node.arp.audit(), undefined);
  });
});

/** Of "fd00:1::n". */
function bytesOf(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0xfd, 0, 0, 1]);
  bytes[15] = Number(address.split('::')[1]);
  return bytes;
}
