// Tables with a frame, as upstream prints those of IPAM.

export type Alignment = 'left' | 'right';

export function formatBoxTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[] = [],
): string {
  const widths = headings.map((heading, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const line = (cells: readonly string[], align: (cell: string, width: number, index: number) => string) =>
    `|${widths.map((width, index) => ` ${align(cells[index] ?? '', width, index)} `).join('|')}|\n`;
  const centred = (cell: string, width: number) =>
    cell.padStart(cell.length + Math.floor((width - cell.length) / 2)).padEnd(width);
  const aligned = (cell: string, width: number, index: number) =>
    alignments[index] === 'right' ? cell.padStart(width) : cell.padEnd(width);
  return rule + line(headings, centred) + rule + rows.map((row) => line(row, aligned)).join('') + rule;
}
