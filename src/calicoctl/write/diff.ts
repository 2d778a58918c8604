// The difference between two texts, line by line, in the unified format that patch(1) and people read.

/** Lines of context around a change. */
const context = 3;

interface Edit {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** Empty when the texts are equal. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const edits = editsBetween(linesOf(before), linesOf(after));
  const hunks = hunksOf(edits).map((hunk) => formatHunk(edits, hunk));
  return `--- ${before === '' ? '/dev/null' : `${name} (stored)`}\n+++ ${after === '' ? '/dev/null' : name}\n${hunks.join('')}`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Beyond so many pairs of differing lines, all of the old ones are shown as replaced by all of the new ones. */
const maxPairs = 25_000_000;

/** What two texts have in common at both ends costs nothing; the rest is compared. */
function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const same = (line: string): Edit => ({ sign: ' ', line });
  const [old, next] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const middle =
    old.length * next.length <= maxPairs
      ? editsByCommonLines(old, next)
      : [
          ...old.map((line): Edit => ({ sign: '-', line })),
          ...next.map((line): Edit => ({ sign: '+', line })),
        ];
  return [...before.slice(0, head).map(same), ...middle, ...before.slice(before.length - tail).map(same)];
}

/** By the longest common subsequence. */
function editsByCommonLines(before: readonly string[], after: readonly string[]): Edit[] {
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] =
        before[i] === after[j]
          ? (common[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0);
    }
  }
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, next] = [before[i], after[j]];
    if (old !== undefined && old === next) {
      edits.push({ sign: ' ', line: old });
      i++;
      j++;
    } else if (
      old !== undefined &&
      (next === undefined || (common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0))
    ) {
      edits.push({ sign: '-', line: old });
      i++;
    } else {
      edits.push({ sign: '+', line: next ?? '' });
      j++;
    }
  }
  return edits;
}

/** Ranges of edits, each with its context; those that touch are one. */
function hunksOf(edits: readonly Edit[]): { from: number; to: number }[] {
  const hunks: { from: number; to: number }[] = [];
  for (const [index, { sign }] of edits.entries()) {
    if (sign === ' ') continue;
    const [from, to] = [Math.max(0, index - context), Math.min(edits.length, index + context + 1)];
    const last = hunks.at(-1);
    if (last && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks;
}

function formatHunk(edits: readonly Edit[], { from, to }: { from: number; to: number }): string {
  const count = (part: readonly Edit[], without: '+' | '-') =>
    part.filter(({ sign }) => sign !== without).length;
  const [earlier, own] = [edits.slice(0, from), edits.slice(from, to)];
  const range = (without: '+' | '-') => {
    const size = count(own, without);
    return `${count(earlier, without) + (size > 0 ? 1 : 0)},${size}`;
  };
  return `@@ -${range('+')} +${range('-')} @@\n${own.map(({ sign, line }) => `${sign}${line}\n`).join('')}`;
}
