// What the lab says to a person: steps with their time, a little colour where a terminal shows it, plain text elsewhere.
import { styleText } from 'node:util';
import type { Paint } from './matrix/print.ts';

/** Colours on a terminal that shows them and wants them (NO_COLOR, FORCE_COLOR); the text as it is elsewhere. */
export const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Where steps are reported: a terminal here, or a person's terminal at the other end of a channel. */
export interface Progress {
  /** A step begins: "3 nodes on an underlay". */
  begin(what: string): void;
  /** The step that began last is done; `detail` says what came of it. */
  end(detail?: string): void;
}

/** Shows a step as it begins where the line can be rewritten, and each finished step with its duration everywhere. */
export function terminalProgress(stream: NodeJS.WriteStream): Progress {
  let current = '';
  let startedAt = 0;
  return {
    begin(what) {
      current = what;
      startedAt = performance.now();
      if (stream.isTTY) stream.write(`  ${paint('dim', '…')} ${what}`);
    },
    end(detail) {
      const seconds = `${((performance.now() - startedAt) / 1000).toFixed(2)} s`;
      const text = (detail ? `${current}: ${detail}` : current).padEnd(84);
      // Return to the start of the line and clear it: the step's first appearance is replaced.
      if (stream.isTTY) stream.write('\r\u001b[2K');
      stream.write(`  ${paint('green', '✓')} ${text} ${paint('dim', seconds.padStart(7))}\n`);
    },
  };
}

/** Columns as wide as they need to be, under dim headings. */
export function sayTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ');
  say(paint('dim', line(heads).trimEnd()));
  for (const row of rows) say(line(row).trimEnd());
}
