// Does what docs/first-steps.md says, command by command, on a cluster of the lab, and compares what is printed with the page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { runLabCommand } from '../lab/lab-command.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'first-steps.md'), 'utf8');
const id = `test-steps-${process.pid}`;
const folder = mkdtempSync(join(tmpdir(), `calicoctl-steps-${process.pid}-`));

after(async () => {
  const { code, output } = await runLabCommand('down', '--name', id);
  rmSync(folder, { recursive: true });
  assert.equal(code, 0, output);
});

interface Step {
  readonly commands: string;
  readonly isToFail: boolean;
  /** What the page shows; undefined where it shows nothing. */
  readonly shown: string | undefined;
}

/** The page's commands with what is shown after them; files are written as they are met. */
function readPage(): Step[] {
  const steps: Step[] = [];
  const blocks = [...page.matchAll(/^```(\w+)( fails)?\n(.*?)^```$/gms)];
  for (const [index, [, language, fails, body = '']] of blocks.entries()) {
    if (language === 'yaml') writeFileSync(join(folder, fileNameBefore(blocks[index]?.index ?? 0)), body);
    const next = blocks[index + 1];
    const shown = next?.[1] === 'text' ? next[3] : undefined;
    if (language === 'sh') steps.push({ commands: body, isToFail: fails !== undefined, shown });
  }
  return steps;
}

/** The last `name.yaml` in the text before a block. */
function fileNameBefore(offset: number): string {
  const name = [...page.slice(0, offset).matchAll(/`([\w-]+\.yaml)`/g)].at(-1)?.[1];
  assert.ok(name, 'a file has no name');
  return name;
}

/** `npx` without npm, for the two programs that the page calls by it; the lab's cluster gets the test's own name. */
function writeNpx(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/bash
program="$1" verb="$2"
shift 2
[ "$program" = calico-lab ] && set -- --name ${id} "$@"
exec '${process.execPath}' "${root}/bin/$program.ts" "$verb" "$@"
`;
  writeFileSync(join(bin, 'npx'), script);
  chmodSync(join(bin, 'npx'), 0o755);
  return bin;
}

/** "…" stands for any text, and columns may be wider. */
function patternOf(shown: string): RegExp {
  const lines = shown.split('\n').map((line) =>
    line
      .split(/ *… */)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/ {2,}/g, ' +'))
      .join('.*'),
  );
  return new RegExp(`^${lines.join('\n')}$`);
}

const environment = {
  PATH: `${writeNpx()}:${process.env.PATH}`,
  HOME: folder,
  KUBECONFIG: `/run/calico-lab/${id}/kubeconfig`,
  ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
};

for (const { commands, isToFail, shown } of readPage()) {
  test(`the page is right about "${commands.trim().split('\n').at(-1)}"`, async () => {
    const script = commands.replaceAll('/run/calico-lab/lab/', `/run/calico-lab/${id}/`);
    const shell = spawn('bash', ['-ec', `exec 2>&1\n${script}`], { cwd: folder, env: environment });
    const [output] = await Promise.all([text(shell.stdout), once(shell, 'close')]);
    assert.equal(shell.exitCode, isToFail ? 1 : 0, `${commands}\n${output}`);
    if (shown !== undefined) assert.match(output, patternOf(shown), commands);
  });
}
