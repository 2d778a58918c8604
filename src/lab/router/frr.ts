// FRR as the external router: zebra, which writes the kernel's routes, and bgpd. https://docs.frrouting.org
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Family } from '../../net/index.ts';
import type { ExternalRouter, RouterOptions, RouterRoute, RouterSession } from './external-router.ts';
import { RouterProcesses } from './processes.ts';

const daemons = '/usr/lib/frr';
const startDeadlineMs = 10_000;

export class Frr implements ExternalRouter {
  readonly kind = 'frr';
  readonly #processes: RouterProcesses;
  readonly #folder: string;

  private constructor(options: RouterOptions) {
    this.#processes = new RouterProcesses(options);
    this.#folder = options.folder;
  }

  /** Resolves when both daemons answer. */
  static async start(options: RouterOptions): Promise<Frr> {
    const { folder } = options;
    const { uid, gid } = userNamed('frr');
    mkdirSync(join(folder, 'vty'), { recursive: true });
    const configuration = join(folder, 'frr.conf');
    writeFileSync(configuration, configurationText(options), { mode: 0o640 });
    for (const path of [folder, join(folder, 'vty'), configuration]) chownSync(path, uid, gid);
    chmodSync(folder, 0o711);
    const router = new Frr(options);
    const common = [
      '-u',
      'frr',
      '-g',
      'frr',
      '-z',
      join(folder, 'zserv.api'),
      '--vty_socket',
      join(folder, 'vty'),
    ];
    const only = ['-f', configuration, '-A', '127.0.0.1', '-P', '0'];
    for (const [daemon, socket] of [
      ['zebra', 'zserv.api'],
      ['bgpd', 'vty/bgpd.vty'],
    ] as const) {
      const pid = ['-i', join(folder, `${daemon}.pid`)];
      router.#processes.start(join(daemons, daemon), [...common, ...pid, ...only]);
      await router.#appears(socket);
    }
    return router;
  }

  async sessions(): Promise<RouterSession[]> {
    const families =
      await this.#ask<Record<string, { peers?: Record<string, { state: string }> }>>('show bgp summary json');
    const peers = Object.values(families).flatMap((family) => Object.entries(family.peers ?? {}));
    return peers.map(([peer, { state }]) => ({ peer, isEstablished: state === 'Established' }));
  }

  async routes(family: Family): Promise<RouterRoute[]> {
    const { routes } = await this.#table(family);
    return Object.entries(routes).flatMap(([destination, entries]) => {
      const paths = Array.isArray(entries) ? entries : (entries.paths ?? []);
      // FRR 8 puts an entry about the destination as a whole before those of its paths.
      return paths
        .filter(({ nexthops }) => nexthops !== undefined)
        .map((path) => ({
          destination,
          nextHops: (path.nexthops ?? []).flatMap(({ ip, scope }) => (scope === 'link-local' ? [] : [ip])),
          path: (path.aspath?.string ?? '')
            .split(' ')
            .filter((text) => /^\d+$/.test(text))
            .map(Number),
          communities: [...(path.community?.list ?? []), ...(path.largeCommunity?.list ?? [])],
        }));
    });
  }

  /** The words changed places between FRR 8 and 9. */
  async #table(family: Family): Promise<FrrTable> {
    const command = `show bgp ipv${family} unicast`;
    try {
      return await this.#ask(`${command} json detail`);
    } catch {
      return this.#ask(`${command} detail json`);
    }
  }

  stop(): Promise<void> {
    return this.#processes.end();
  }

  async #ask<T>(command: string): Promise<T> {
    return JSON.parse(
      await this.#processes.ask('vtysh', ['--vty_socket', join(this.#folder, 'vty'), '-c', command]),
    );
  }

  /** A daemon does not tell when it is ready; its socket does. */
  async #appears(socket: string): Promise<void> {
    const giveUpAt = performance.now() + startDeadlineMs;
    while (!existsSync(join(this.#folder, socket))) {
      if (performance.now() > giveUpAt) {
        const log = readFileSync(join(this.#folder, 'router.log'), 'utf8').trim();
        throw new Error(`FRR did not start: there is no ${socket}${log === '' ? '' : `; it said: ${log}`}`);
      }
      await delay(20);
    }
  }
}

interface FrrTable {
  readonly routes: Readonly<Record<string, FrrPath[] | { readonly paths?: FrrPath[] }>>;
}

interface FrrPath {
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[];
  readonly aspath?: { readonly string?: string };
  readonly community?: { readonly list?: readonly string[] };
  readonly largeCommunity?: { readonly list?: readonly string[] };
}

function configurationText({ asNumber, routerId, neighbors, networks, folder }: RouterOptions): string {
  const isOf = (family: Family) => (text: string) => text.includes(':') === (family === 6);
  const family = (version: Family) => [
    ` address-family ipv${version} unicast`,
    ...neighbors
      .map(({ address }) => address)
      .filter(isOf(version))
      .map((address) => `  neighbor ${address} activate`),
    ...networks.filter(isOf(version)).map((network) => `  network ${network}`),
    '  maximum-paths 64',
    ' exit-address-family',
  ];
  return `${[
    'hostname tor',
    `log file ${join(folder, 'frr.log')}`,
    `router bgp ${asNumber}`,
    ` bgp router-id ${routerId}`,
    // Neighbours are taken at their word: what they may tell is for the cluster's filters to say.
    ' no bgp ebgp-requires-policy',
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ' bgp bestpath as-path multipath-relax',
    ' bgp graceful-restart',
    ' bgp graceful-restart preserve-fw-state',
    ...neighbors.flatMap(({ address, asNumber: remote, password }) => [
      ` neighbor ${address} remote-as ${remote}`,
      ...(password === undefined ? [] : [` neighbor ${address} password ${password}`]),
      ` neighbor ${address} timers connect 1`,
    ]),
    ...family(4),
    ...family(6),
  ].join('\n')}\n`;
}

/** @throws Error when there is no such user: the package is not installed */
function userNamed(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new Error(`There is no user "${name}"; install FRR (Debian's frr)`);
  return { uid: Number(uid), gid: Number(gid) };
}
