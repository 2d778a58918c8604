// Serves the figures of the cluster's address management as Prometheus metrics, under Calico's names.
import { type Gauge, gauge, type Tally, tally } from '../../process/index.ts';
import type { Figures } from './ipam-figures.ts';

export class IpamMetrics {
  readonly #inUse = gauge('ipam_allocations_in_use', 'Addresses in use, by pool and node', poolAndNode);
  readonly #borrowed = gauge(
    'ipam_allocations_borrowed',
    'Addresses in use by a node of whose blocks they are not',
    poolAndNode,
  );
  readonly #blocks = gauge('ipam_blocks', 'Blocks, by pool and node', poolAndNode);
  readonly #perNode = {
    inUse: gauge('ipam_allocations_per_node', 'Addresses in use, by node', ['node']),
    borrowed: gauge('ipam_allocations_borrowed_per_node', 'Borrowed addresses, by node', ['node']),
    blocks: gauge('ipam_blocks_per_node', 'Blocks, by node', ['node']),
  };
  readonly #size = gauge('ipam_ippool_size', 'Addresses of the pool', ['ippool']);
  readonly #reserved = gauge('ipam_ippool_reserved', 'Reserved addresses of the pool', ['ippool']);
  readonly #candidates = gauge(
    'ipam_allocations_gc_candidates',
    'Findings that wait for their grace to end',
    [],
  );
  readonly #reclaimed: Tally = tally(
    'ipam_allocations_gc_reclamations',
    'Addresses, handles, claims and blocks collected',
    'outcome',
  );

  show({ byPoolAndNode, byPool }: Figures): void {
    const figures = [...byPoolAndNode.values()];
    for (const [metric, field] of [
      [this.#inUse, 'inUse'],
      [this.#borrowed, 'borrowed'],
      [this.#blocks, 'blocks'],
    ] as const) {
      metric.set(figures.map(({ pool, node, [field]: value }) => [[pool, node], value]));
      const sums = Map.groupBy(figures, ({ node }) => node);
      const perNode: Gauge = this.#perNode[field];
      perNode.set([...sums].map(([node, own]) => [[node], own.reduce((sum, one) => sum + one[field], 0)]));
    }
    this.#size.set([...byPool].map(([pool, { size }]) => [[pool], size]));
    this.#reserved.set([...byPool].map(([pool, { reserved }]) => [[pool], reserved]));
  }

  /** Shows no figures; what was counted stays. */
  clear(): void {
    this.show({ byPoolAndNode: new Map(), byPool: new Map() });
    this.#candidates.set([]);
  }

  swept({ waiting, collected, failed }: { waiting: number; collected: number; failed: number }): void {
    this.#candidates.set([[[], waiting]]);
    this.#reclaimed.add('collected', collected);
    this.#reclaimed.add('failed', failed);
  }
}

const poolAndNode = ['ippool', 'node'] as const;
