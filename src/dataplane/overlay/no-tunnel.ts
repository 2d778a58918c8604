// A family without a tunnel: a device that an earlier start has left goes, with its address, which may be somebody else's by now,
// and its routes.
import { deleteLink, type RoutingEvent, type Rtnetlink } from '../../kernel/index.ts';
import type { Family } from '../../net/index.ts';
import { deviceNames } from './device-names.ts';
import type { Outcome } from './way-changes.ts';

export class NoTunnel {
  readonly family: Family;
  readonly #rtnetlink: Rtnetlink;

  constructor(rtnetlink: Rtnetlink, family: Family) {
    this.#rtnetlink = rtnetlink;
    this.family = family;
  }

  synchronise(): Outcome {
    const name = deviceNames[this.family];
    const found = this.#rtnetlink.link(name);
    // What bears the name and is no tunnel is somebody else's.
    if (found?.kind !== 'vxlan') return { changed: [], lacking: [] };
    const change = deleteLink(found.index);
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
    return event.link.kind === 'vxlan' && event.link.name === deviceNames[this.family];
  }
}
