// Notices when what a node found out about itself at its start is not so any more: its addresses, its tunnels, its object in the
// cluster. Then calico-node starts anew, which is how all of its parts come to know.
import type { Datastore, Follower } from '../datastore/index.ts';
import { type NodeLabels, nodeLabelsOf } from '../ipam/index.ts';
import type { Family } from '../net/index.ts';
import { gauge, type Logger, timerMs, WorkQueue } from '../process/index.ts';
import { type IPPool, ipPools, keyOf, type Node, nodes } from '../resources/index.ts';
import type { NodeAddress } from './detect-address.ts';
import { areTunnelsDue, type MissingTunnel, type Tunnel, type Tunnels } from './tunnel.ts';

export interface NodeFacts extends Tunnels {
  readonly addresses: ReadonlyMap<Family, NodeAddress>;
}

export interface FollowedFactsOptions {
  readonly node: string;
  readonly datastore: Datastore;
  /** As they were found at the start. */
  readonly facts: NodeFacts;
  /** Whether pools have a say in what tunnels the node has. */
  readonly hasTunnels: boolean;
  /** Has the tunnels that the pools want now, as far as there are addresses for them. */
  readonly ensureTunnels: () => Promise<Tunnels>;
  /** Finds out the addresses again. Rejects while there is none. */
  readonly detect: () => Promise<ReadonlyMap<Family, NodeAddress>>;
  /** Milliseconds between two looks at the addresses, besides those after a change of a link; 0 for none. */
  readonly pollMs: number;
  readonly log: Logger;
  /** Told once, in words, why a new start is due. */
  readonly onOther: (why: string) => void;
}

/** Links come and go together with their addresses: one look is enough for all of it. */
const settleMs = 1_000;
/** Nobody tells of an address that has become free. */
const scarceMs = 30_000;
const [addresses, cluster] = ['addresses', 'cluster'];

const missingTunnels = gauge(
  'felix_tunnels_missing',
  'Tunnels that the pools want of this node and that it has no address for',
  ['family'],
);

export class FollowedFacts {
  readonly #options: FollowedFactsOptions;
  readonly #pools = new Map<string, IPPool>();
  readonly #followers: readonly Follower[];
  readonly #queue: WorkQueue;
  readonly #timer: NodeJS.Timeout | undefined;
  #own: Node | undefined;
  #labels: NodeLabels = new Map();
  #uid: string | undefined;
  #kindsToSync = 2;
  #isTold = false;
  #told = '';

  constructor(options: FollowedFactsOptions) {
    this.#options = options;
    const { datastore, node, pollMs, log, facts } = options;
    this.#queue = new WorkQueue({
      work: (key) => (key === addresses ? this.#lookAtAddresses() : this.#lookAtCluster()),
      onFailure: (key, error) => {
        const what =
          key === addresses
            ? 'is still known by the right address'
            : 'has the tunnels that the pools want of it';
        log.warn({ error }, `Cannot find out whether this node ${what}`);
      },
    });
    this.#tellMissing(facts.missing);
    const look = () => this.#queue.add(cluster);
    const onInSync = () => {
      this.#kindsToSync--;
      look();
    };
    this.#followers = [
      datastore.follow(ipPools, {
        onUpsert: (pool) => {
          this.#pools.set(keyOf(pool), pool);
          look();
        },
        onDelete: (_key, pool) => {
          this.#pools.delete(keyOf(pool));
          look();
        },
        onInSync,
      }),
      datastore.follow(
        nodes,
        {
          onUpsert: (object, stored = object) => {
            if (object.metadata.name !== node) return;
            this.#own = object;
            this.#labels = nodeLabelsOf(stored);
            this.#uid ??= object.metadata.uid;
            look();
          },
          // It may be registered again, and then we are told of another.
          onDelete: () => {
            this.#own = undefined;
          },
          onInSync,
        },
        { fieldSelector: `metadata.name=${node}` },
      ),
    ];
    if (pollMs > 0) this.#timer = setInterval(() => this.#queue.add(addresses), timerMs(pollMs)).unref();
  }

  /** A link or an address of the node has changed. */
  linksChanged(): void {
    this.#queue.addAfter(addresses, settleMs);
  }

  /** Resolves when nothing is being found out any more. */
  stop(): Promise<void> {
    this.#isTold = true;
    clearInterval(this.#timer);
    for (const follower of this.#followers) follower.stop();
    return this.#queue.stop();
  }

  async #lookAtCluster(): Promise<void> {
    const own = this.#own;
    if (this.#kindsToSync > 0 || !own) return;
    if (own.metadata.uid !== this.#uid)
      this.#tell('the node was deleted from the cluster and registered again');
    // Of a store that was emptied, nothing would be left to start with.
    if (this.#pools.size === 0) return;
    if (!this.#options.hasTunnels) return;
    const { facts, ensureTunnels } = this.#options;
    if (!areTunnelsDue(facts.tunnels, { labels: this.#labels, pools: [...this.#pools.values()] })) {
      this.#tellMissing([]);
      return;
    }
    const { tunnels, missing } = await ensureTunnels();
    if (addressesOf(tunnels) !== addressesOf(facts.tunnels)) {
      this.#tell('the pools want other tunnels of this node');
      return;
    }
    // A new start would have no more.
    this.#tellMissing(missing);
    if (missing.length > 0) this.#queue.addAfter(cluster, scarceMs);
  }

  async #lookAtAddresses(): Promise<void> {
    const { detect, facts } = this.#options;
    const now = await detect();
    const [was, is] = [facts.addresses, now].map(inWords);
    if (was !== is) this.#tell(`the node is known by ${was}, and should be by ${is}`);
  }

  /** Once for each state of it. */
  #tellMissing(missing: readonly MissingTunnel[]): void {
    if (this.#isTold) return;
    missingTunnels.set(missing.map(({ family }) => [[`IPv${family}`], 1] as const));
    const told = missing.map(({ family, why }) => `goes on without its IPv${family} tunnel: ${why}`);
    if (told.join() === this.#told) return;
    this.#told = told.join();
    for (const sentence of told)
      this.#options.log.warn(`This node ${sentence}; pods of VXLAN pools reach no other node`);
  }

  #tell(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onOther(why);
  }
}

function addressesOf(tunnels: readonly Tunnel[]): string {
  return tunnels.map(({ address }) => address).join();
}

/** "172.30.0.11/24 on eth0 (2)"; the same link under another number is another link. */
function inWords(found: ReadonlyMap<Family, NodeAddress>): string {
  const words = [...found.values()].map(
    ({ address, prefixLength, link }) => `${address}/${prefixLength} on ${link.name} (${link.index})`,
  );
  return words.join(' and ') || 'no address';
}
