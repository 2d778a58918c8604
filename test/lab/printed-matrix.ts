// Reads the tables that the lab prints back into cells: an independent eye on what a person sees.

export interface PrintedMatrix {
  /** "t1", "t2", "w1" ...: the codes of rows, and of columns in the same order. */
  readonly codes: readonly string[];
  /** The pods' names, in that order. */
  readonly names: readonly string[];
  /** One glyph per cell, by row. */
  readonly cells: readonly (readonly string[])[];
  readonly legend: string;
}

const row = /^\s*([a-z]+\d+) (\S+)\s+(node-\d+)((?:\s+[●·◐◑◒◓◔◕?-])+)$/;

/** Every table in the text, in order. */
export function readMatrices(text: string): PrintedMatrix[] {
  const matrices: PrintedMatrix[] = [];
  let codes: string[] = [];
  let names: string[] = [];
  let cells: string[][] = [];
  for (const line of text.split('\n')) {
    const match = row.exec(line);
    if (match) {
      codes.push(match[1] ?? '');
      names.push(match[2] ?? '');
      cells.push((match[4] ?? '').trim().split(/\s+/));
    } else if (cells.length > 0) {
      matrices.push({ codes, names, cells, legend: line.trim() });
      [codes, names, cells] = [[], [], []];
    }
  }
  return matrices;
}
