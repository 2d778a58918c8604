// A family without a tunnel: a device that an earlier start has left goes, with its address, which may be somebody else's by now,
// and its routes.
import { deleteLink, type Link, type RoutingEvent, type Rtnetlink } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { tunnelFamily } from './own-tunnels.ts';
import type { Outcome } from './way-changes.ts';

export class NoTunnel {
  readonly family: Family;
  readonly #rtnetlink: Rtnetlink;

  constructor(rtnetlink: Rtnetlink, family: Family) {
    this.#rtnetlink = rtnetlink;
    this.family = family;
  }

  synchronise(): Outcome {
    const outcomes = this.#rtnetlink
      .links()
      .filter((link) => tunnelFamily(link) === this.family)
      .map((link) => this.#remove(link));
    return {
      changed: outcomes.flatMap(({ changed }) => changed),
      lacking: outcomes.flatMap(({ lacking }) => lacking),
    };
  }

  #remove({ index, name }: Link): Outcome {
    const change = deleteLink(index);
    try {
      this.#rtnetlink.ensure(change);
      return { changed: [change.what], lacking: [] };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return {
        changed: [],
        lacking: [`The tunnel "${name}" is there, which no pool asks of this node: ${why}`],
      };
    }
  }

  contradicts(event: RoutingEvent): boolean {
    if (event.kind === 'resync') return true;
    if (event.kind !== 'link' || event.gone) return false;
    return tunnelFamily(event.link) === this.family;
  }
}
