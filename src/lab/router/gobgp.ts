// GoBGP as the external router: it speaks BGP and writes no routes into the kernel. https://github.com/osrg/gobgp
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Family, familyOf } from '../../net/index.ts';
import type { ExternalRouter, RouterOptions, RouterRoute, RouterSession } from './external-router.ts';
import { RouterProcesses } from './processes.ts';

const startDeadlineMs = 10_000;
/** GoBGP's number of a session that is up (RFC 4271's states, from "unknown" on). */
const established = 6;

export class GoBgp implements ExternalRouter {
  readonly kind = 'gobgp';
  readonly #processes: RouterProcesses;

  private constructor(options: RouterOptions) {
    this.#processes = new RouterProcesses(options);
  }

  /** Resolves when it answers and tells what it is to tell. */
  static async start(options: RouterOptions): Promise<GoBgp> {
    const { folder, networks } = options;
    mkdirSync(folder, { recursive: true });
    const configuration = join(folder, 'gobgpd.toml');
    writeFileSync(configuration, configurationText(options), { mode: 0o600 });
    const router = new GoBgp(options);
    // Its questions come by TCP on loopback, which is the namespace's own.
    router.#processes.start('gobgpd', [
      '-f',
      configuration,
      '--api-hosts',
      '127.0.0.1:50051',
      '--pprof-disable',
      '-l',
      'warn',
    ]);
    const giveUpAt = performance.now() + startDeadlineMs;
    for (;;) {
      try {
        await router.sessions();
        break;
      } catch (error) {
        if (performance.now() > giveUpAt) throw new Error('GoBGP did not start', { cause: error });
        await delay(50);
      }
    }
    for (const network of networks) {
      const isSix = network.includes(':');
      await router.#processes.ask('gobgp', ['global', 'rib', 'add', network, '-a', isSix ? 'ipv6' : 'ipv4']);
    }
    return router;
  }

  async sessions(): Promise<RouterSession[]> {
    const found = await this.#ask<GoNeighbor[]>(['neighbor']);
    return found.map(({ conf, state }) => ({
      peer: conf.neighbor_address,
      isEstablished: state?.session_state === established,
    }));
  }

  async routes(family: Family): Promise<RouterRoute[]> {
    const found = await this.#ask<Record<string, GoPath[]>>(['global', 'rib', '-a', `ipv${family}`]);
    return Object.entries(found).flatMap(([destination, paths]) =>
      paths.map((path) => routeOf(destination, path)),
    );
  }

  stop(): Promise<void> {
    return this.#processes.end();
  }

  async #ask<T>(words: readonly string[]): Promise<T> {
    return JSON.parse(await this.#processes.ask('gobgp', [...words, '-j']));
  }
}

interface GoNeighbor {
  readonly conf: { readonly neighbor_address: string };
  readonly state?: { readonly session_state?: number };
}

/** Attributes by BGP's own numbers. */
interface GoPath {
  readonly attrs: readonly {
    readonly type: number;
    readonly nexthop?: string;
    readonly as_paths?: readonly { readonly asns: readonly number[] }[];
    readonly communities?: readonly number[];
    readonly value?: unknown;
  }[];
}

const attributes = { path: 2, nextHop: 3, communities: 8, reach: 14, largeCommunities: 32 } as const;

function routeOf(destination: string, { attrs }: GoPath): RouterRoute {
  const find = (type: number) => attrs.find((attribute) => attribute.type === type);
  const nextHop = find(attributes.nextHop)?.nexthop ?? find(attributes.reach)?.nexthop;
  const large = find(attributes.largeCommunities)?.value;
  return {
    destination,
    nextHops: nextHop ? [nextHop] : [],
    path: (find(attributes.path)?.as_paths ?? []).flatMap(({ asns }) => asns),
    communities: [
      ...(find(attributes.communities)?.communities ?? []).map(
        (value) => `${value >>> 16}:${value & 0xffff}`,
      ),
      ...(Array.isArray(large) ? large.map(largeText) : []),
    ],
  };
}

function largeText(value: unknown): string {
  const { ASN, LocalData1, LocalData2 } = value as Record<string, number>;
  return `${ASN}:${LocalData1}:${LocalData2}`;
}

function configurationText({ asNumber, routerId, neighbors }: RouterOptions): string {
  return [
    '[global.config]',
    `as = ${asNumber}`,
    `router-id = "${routerId}"`,
    '[global.use-multiple-paths.config]',
    'enabled = true',
    ...neighbors.flatMap(({ address, asNumber: remote, password }) => [
      '[[neighbors]]',
      '[neighbors.config]',
      `neighbor-address = "${address}"`,
      `peer-as = ${remote}`,
      ...(password === undefined ? [] : [`auth-password = "${password}"`]),
      '[neighbors.timers.config]',
      'connect-retry = 5',
      '[neighbors.graceful-restart.config]',
      'enabled = true',
      'restart-time = 120',
      '[[neighbors.afi-safis]]',
      '[neighbors.afi-safis.config]',
      `afi-safi-name = "ipv${familyOf(address)}-unicast"`,
      '[neighbors.afi-safis.mp-graceful-restart.config]',
      'enabled = true',
    ]),
    '',
  ].join('\n');
}
