// The topology as a picture: an SVG that stands by itself, without scripts, fonts or styles from elsewhere.
import { type Card, type Layout, layOut } from './layout.ts';
import type { Link, Speaker, Topology } from './topology.ts';

const sans = 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif';
const mono = 'ui-monospace, SFMono-Regular, DejaVu Sans Mono, monospace';
const ink = {
  text: '#0f172a',
  faint: '#64748b',
  paper: '#f8fafc',
  card: '#ffffff',
  down: '#dc2626',
} as const;

const kinds: Readonly<Record<Link['kind'], { readonly colour: string; readonly name: string }>> = {
  eBGP: { colour: '#d97706', name: 'with another system (eBGP)' },
  reflection: { colour: '#0d9488', name: 'with a route reflector' },
  mesh: { colour: '#6366f1', name: 'mesh of nodes' },
  iBGP: { colour: '#64748b', name: 'other iBGP' },
};

const roles: Readonly<Record<Speaker['role'], { readonly colour: string; readonly name: string }>> = {
  outside: { colour: '#d97706', name: 'router outside' },
  reflector: { colour: '#0d9488', name: 'route reflector' },
  node: { colour: '#6366f1', name: 'node' },
};

const top = 108;
const margin = 40;
const listLine = 20;

export function topologySvg(topology: Topology, cluster: string): string {
  const layout = layOut(topology, top);
  const down = topology.links.filter(({ isUp }) => !isUp);
  const height = layout.bottom + margin + (down.length > 0 ? (down.length + 2) * listLine : 0);
  const { width } = layout;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${sans}">`,
    `<title>BGP in cluster ${escaped(cluster)}</title>`,
    `<rect width="${width}" height="${height}" fill="${ink.paper}"/>`,
    ...heading(topology, cluster),
    ...curves(layout),
    ...layout.cards.flatMap(card),
    ...downList(down, layout.bottom + margin),
    '</svg>',
  ].join('\n')}\n`;
}

function heading({ speakers, links }: Topology, cluster: string): string[] {
  const up = links.filter(({ isUp }) => isUp).length;
  const told = new Set(speakers.flatMap(({ advertises }) => advertises)).size;
  const used = [...new Set(links.map(({ kind }) => kind))].map((kind) => kinds[kind]);
  const isAnyDown = up < links.length;
  const entries = [...used, ...(isAnyDown ? [{ colour: ink.down, name: 'not up' }] : [])];
  let x = margin;
  return [
    text(margin, 44, `BGP in cluster ${cluster}`, { size: 22, weight: 600 }),
    text(
      margin,
      68,
      `${speakers.length} speakers · ${up} of ${links.length} sessions up · ${told} destinations advertised`,
      { size: 13, colour: isAnyDown ? ink.down : ink.faint },
    ),
    ...entries.flatMap(({ colour, name }) => {
      const at = x;
      x += 44 + name.length * 6.6;
      return [
        `<line x1="${at}" y1="88" x2="${at + 20}" y2="88" stroke="${colour}" stroke-width="2.5"${colour === ink.down ? ' stroke-dasharray="5 4"' : ''}/>`,
        text(at + 27, 92, name, { size: 12, colour: ink.faint }),
      ];
    }),
  ];
}

/** What is not up comes last, so that nothing hides it. */
function curves({ curves: all }: Layout): string[] {
  return [...all]
    .sort((a, b) => Number(b.link.isUp) - Number(a.link.isUp))
    .map(({ link, path }) => {
      const { ends, family, kind, isUp, reason } = link;
      const colour = isUp ? kinds[kind].colour : ink.down;
      const dash = isUp ? '' : ' stroke-dasharray="6 5"';
      const says = `${ends.join(' – ')}, IPv${family}, ${kind}: ${isUp ? 'up' : (reason ?? 'down')}`;
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${isUp ? 1.75 : 2.25}" stroke-opacity="${isUp ? 0.75 : 1}"${dash}><title>${escaped(says)}</title></path>`;
    });
}

function card({ speaker, lines, x, y, width, height }: Card): string[] {
  const { colour, name: role } = roles[speaker.role];
  const system = speaker.asNumber === undefined ? '' : `AS ${speaker.asNumber}`;
  const isMute = speaker.trouble !== undefined;
  return [
    `<g><title>${escaped([speaker.name, ...(speaker.trouble ? [speaker.trouble] : speaker.advertises)].join('\n'))}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="${ink.card}" stroke="${isMute ? ink.down : colour}" stroke-width="1.5"/>`,
    `<rect x="${x + 12}" y="${y + 13}" width="4" height="36" rx="2" fill="${isMute ? ink.down : colour}"/>`,
    text(x + 24, y + 27, speaker.name, { size: 14, weight: 600 }),
    text(x + width - 12, y + 27, system, { size: 11, colour: ink.faint, anchor: 'end' }),
    text(x + 24, y + 46, `${role} · ${speaker.addresses[0] ?? ''}`, { size: 11, colour: ink.faint }),
    ...(lines.length > 0 ? lines : ['advertises nothing']).map((line, index) =>
      text(x + 24, y + 72 + index * 16, line, {
        size: 11.5,
        family: lines.length > 0 && !isMute ? mono : sans,
        colour: isMute ? ink.down : lines.length > 0 ? ink.text : ink.faint,
      }),
    ),
    '</g>',
  ];
}

function downList(down: readonly Link[], y: number): string[] {
  if (down.length === 0) return [];
  return [
    text(margin, y, 'Sessions that are not up', { size: 13, weight: 600, colour: ink.down }),
    ...down.map(({ ends, family, reason }, index) =>
      text(margin, y + (index + 1) * listLine, `${ends.join(' – ')} (IPv${family}): ${reason ?? 'down'}`, {
        size: 12,
      }),
    ),
  ];
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly colour?: string;
  readonly family?: string;
  readonly anchor?: 'end';
}

function text(x: number, y: number, words: string, style: TextStyle): string {
  const { size, weight, colour = ink.text, family, anchor } = style;
  const more = [
    ...(weight === undefined ? [] : [`font-weight="${weight}"`]),
    ...(family === undefined ? [] : [`font-family="${family}"`]),
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
  ];
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${colour}"${more.map((one) => ` ${one}`).join('')}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
