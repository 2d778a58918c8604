// The matrix as a person reads it: a row per sender, a column per receiver, grouped by namespace, within 100 columns.
// Several channels share one table, because most cells are alike on all of them; the legend explains those that are not.
import { channelName, type Matrix, type ProbedPod } from './matrix.ts';

/** How to colour a piece of text; the identity where nothing is coloured. */
export type Paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string;

const partly = ['◐', '◑', '◒', '◓', '◔', '◕'] as const;

/** The lines of the table and its legend, without indentation. Pods should come sorted by namespace. */
export function printMatrix(matrix: Matrix, paint: Paint): string[] {
  const { pods } = matrix;
  const codes = shortCodes(pods);
  const nameWidth = Math.max(4, ...pods.map((pod) => pod.name.length));
  const nodeWidth = Math.max(4, ...pods.map((pod) => pod.node.length));
  const codeWidth = Math.max(2, ...codes.map((code) => code.length));
  // Wide clusters give up the codes above the columns before they give up the hundred columns.
  const wide = codeWidth + nameWidth + nodeWidth + 6 + pods.length * (codeWidth + 1) <= 96;
  const cellWidth = wide ? codeWidth + 1 : 1;
  const left = codeWidth + 1 + nameWidth + 2 + nodeWidth;

  const legend = new Map<string, { glyph: string; meaning: string }>();
  const lines: string[] = [];
  let heads = ' '.repeat(left);
  let groups = ' '.repeat(left);
  for (const [t, to] of pods.entries()) {
    const gap = startsNamespace(pods, t) ? '  ' : '';
    heads += gap + (codes[t] ?? '').padEnd(cellWidth).slice(0, cellWidth);
    if (gap) {
      const room = pods.filter((pod) => pod.namespace === to.namespace).length * cellWidth + 1;
      groups = groups.padEnd(heads.length - cellWidth) + to.namespace.slice(0, room);
    }
  }
  lines.push(paint('bold', groups.trimEnd()));
  if (wide) lines.push(paint('dim', heads.trimEnd()));
  for (const [f, from] of pods.entries()) {
    const head = `${(codes[f] ?? '').padEnd(codeWidth)} ${from.name.padEnd(nameWidth)}  ${from.node.padEnd(nodeWidth)}`;
    let row = paint('dim', head);
    for (const t of pods.keys()) {
      if (startsNamespace(pods, t)) row += '  ';
      row += cell(matrix, f, t, legend, paint) + ' '.repeat(cellWidth - 1);
    }
    lines.push(row.trimEnd());
  }
  const meanings = [...legend.values()].map(({ glyph, meaning }) => `${glyph} ${meaning}`);
  lines.push(paint('dim', `rows send, columns receive; ${meanings.join(', ')}`));
  return lines;
}

/** One glyph, and its entry in the legend. */
function cell(
  matrix: Matrix,
  from: number,
  to: number,
  legend: Map<string, { glyph: string; meaning: string }>,
  paint: Paint,
): string {
  const probed = [...matrix.channels.keys()].filter((c) => matrix.isProbed(c, to));
  if (probed.length === 0) {
    legend.set('', { glyph: '-', meaning: 'no such port' });
    return paint('dim', '-');
  }
  const isAll = probed.every((c) => matrix.isOpen(c, from, to));
  const open = matrix.channels.filter((_, c) => matrix.isOpen(c, from, to)).map(channelName);
  const key = isAll ? 'all' : open.join(' ') || 'none';
  let entry = legend.get(key);
  if (!entry) {
    const isOne = matrix.channels.length === 1;
    if (isAll) entry = { glyph: '●', meaning: isOne ? 'open' : 'open on all ports' };
    else if (open.length === 0) entry = { glyph: '·', meaning: 'blocked' };
    else {
      const used = [...legend.values()].filter(({ glyph }) => !'●·-'.includes(glyph)).length;
      entry = { glyph: partly[used] ?? '?', meaning: `open on ${open.join(' and ')} only` };
    }
    legend.set(key, entry);
  }
  if (entry.glyph === '●') return paint('green', entry.glyph);
  return entry.glyph === '·' ? paint('red', entry.glyph) : paint('yellow', entry.glyph);
}

/** "t1", "t2", "w1": the shortest beginning of each namespace's name that tells it from the others, and a number. */
function shortCodes(pods: readonly ProbedPod[]): string[] {
  const names = [...new Set(pods.map((pod) => pod.namespace))];
  const prefix = new Map(
    names.map((name) => {
      let length = 1;
      while (names.some((other) => other !== name && other.slice(0, length) === name.slice(0, length))) {
        if (length >= name.length) break;
        length++;
      }
      return [name, name.slice(0, length)];
    }),
  );
  const count = new Map<string, number>();
  return pods.map((pod) => {
    const number = (count.get(pod.namespace) ?? 0) + 1;
    count.set(pod.namespace, number);
    return `${prefix.get(pod.namespace)}${number}`;
  });
}

function startsNamespace(pods: readonly ProbedPod[], position: number): boolean {
  return position === 0 || pods[position]?.namespace !== pods[position - 1]?.namespace;
}
