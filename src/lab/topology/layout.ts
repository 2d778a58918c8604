// Where everything of the picture stands: a row for routers outside, one for reflectors, one for nodes; sessions between
// rows run downwards, those within a row in arcs beside it.
import type { Link, Speaker, Topology } from './topology.ts';

export interface Card {
  readonly speaker: Speaker;
  /** What it advertises, cut to what has room. */
  readonly lines: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly cards: readonly Card[];
  /** With the path of SVG that draws it. */
  readonly curves: readonly { readonly link: Link; readonly path: string }[];
  readonly width: number;
  /** Lower end of what is drawn. */
  readonly bottom: number;
}

const cardWidth = 192;
const cardGap = 28;
const headHeight = 64;
const lineHeight = 16;
const mostLines = 4;
const margin = 40;
const rowGap = 120;
/** A picture is this wide at least: its title and legend want it. */
const leastWidth = 860;
/** How far the ends of sessions are spread over a card's edge. */
const spread = 0.7;

/** @param top where the first row may begin */
export function layOut({ speakers, links }: Topology, top: number): Layout {
  const rows = (['outside', 'reflector', 'node'] as const)
    .map((role) => speakers.filter((speaker) => speaker.role === role))
    .filter((row) => row.length > 0);
  const longest = Math.max(...rows.map((row) => row.length), 1);
  const width = Math.max(leastWidth, 2 * margin + longest * (cardWidth + cardGap) - cardGap);
  const cards: Card[] = [];
  const rowOf = new Map<string, number>();
  let y = top;
  for (const [index, row] of rows.entries()) {
    const isLast = index === rows.length - 1;
    // Arcs of a row that has another below it are drawn above it.
    if (!isLast) y += arcDepth(widestArc(links, row));
    const placed = placeRow(row, y, width);
    cards.push(...placed);
    for (const { name } of row) rowOf.set(name, index);
    y += Math.max(...placed.map(({ height }) => height));
    y += isLast ? arcDepth(widestArc(links, row)) : rowGap;
  }
  const curves = drawCurves(links, cards, (name) => rowOf.get(name) ?? 0, rows.length - 1);
  return { cards, curves, width, bottom: y };
}

function placeRow(row: readonly Speaker[], y: number, width: number): Card[] {
  const taken = row.length * (cardWidth + cardGap) - cardGap;
  const most = Math.max(...row.map((speaker) => linesOf(speaker).length), 1);
  return row.map((speaker, index) => ({
    speaker,
    lines: linesOf(speaker),
    x: (width - taken) / 2 + index * (cardWidth + cardGap),
    y,
    width: cardWidth,
    height: headHeight + most * lineHeight + 12,
  }));
}

function linesOf({ advertises, trouble }: Speaker): string[] {
  if (trouble !== undefined) return ['BIRD does not answer'];
  if (advertises.length <= mostLines) return [...advertises];
  return [...advertises.slice(0, mostLines - 1), `and ${advertises.length - mostLines + 1} more`];
}

/** The greatest number of places between two speakers of one row that have a session; 0 when none have. */
function widestArc(links: readonly Link[], row: readonly Speaker[]): number {
  const places = new Map(row.map(({ name }, place) => [name, place]));
  return Math.max(
    0,
    ...links.map(({ ends: [from, to] }) => {
      const [a, b] = [places.get(from), places.get(to)];
      return a === undefined || b === undefined ? 0 : Math.abs(a - b);
    }),
  );
}

function arcDepth(places: number): number {
  return places === 0 ? 0 : Math.min(30 + 26 * places, 260);
}

function drawCurves(
  links: readonly Link[],
  cards: readonly Card[],
  rowOf: (name: string) => number,
  lastRow: number,
): Layout['curves'] {
  const byName = new Map(cards.map((card) => [card.speaker.name, card]));
  const centre = (name: string) => (byName.get(name)?.x ?? 0) + cardWidth / 2;
  /** Which edge of the card a session leaves by. */
  const edgeOf = (own: string, other: string) => {
    if (rowOf(own) === rowOf(other)) return rowOf(own) === lastRow ? 'lower' : 'upper';
    return rowOf(own) < rowOf(other) ? 'lower' : 'upper';
  };
  const endOf = (link: Link, own: string, other: string) => {
    const edge = edgeOf(own, other);
    const along = links
      .flatMap((one) => (one.ends[0] === own ? [one.ends[1]] : one.ends[1] === own ? [one.ends[0]] : []))
      .filter((name) => edgeOf(own, name) === edge);
    const ordered = [...new Set(along)].sort((a, b) => centre(a) - centre(b));
    const share = (ordered.indexOf(other) + 0.5) / ordered.length - 0.5;
    const card = byName.get(own);
    const x = centre(own) + share * spread * cardWidth + (link.family === 6 ? 4 : 0);
    return { x, y: (card?.y ?? 0) + (edge === 'lower' ? (card?.height ?? 0) : 0), edge };
  };
  return links.map((link) => {
    const [from, to] = link.ends;
    const [start, end] = [endOf(link, from, to), endOf(link, to, from)];
    if (start.edge === end.edge) {
      const places = Math.round(Math.abs(centre(from) - centre(to)) / (cardWidth + cardGap));
      // A cubic's summit lies at three quarters of its handles.
      const reach = (arcDepth(places) - 14) / 0.75;
      const y = start.edge === 'lower' ? Math.max(start.y, end.y) + reach : Math.min(start.y, end.y) - reach;
      return { link, path: cubic(start, { x: start.x, y }, { x: end.x, y }, end) };
    }
    const middle = (start.y + end.y) / 2;
    return { link, path: cubic(start, { x: start.x, y: middle }, { x: end.x, y: middle }, end) };
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function cubic(...[start, first, second, end]: readonly [Point, Point, Point, Point]): string {
  const at = ({ x, y }: Point) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M ${at(start)} C ${at(first)}, ${at(second)}, ${at(end)}`;
}
