// The long loops without a name: all of them in turn.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { readTortureOptions, type TortureOptions } from '../../torture/options.ts';
import { runInTurn, type TortureProgram } from '../../torture/turns.ts';

const minute = 60_000;

/** Runs programs that take so many minutes each, whatever their share; returns what came of it, and their shares in minutes. */
async function turns(minutes: string, taking: Readonly<Record<string, number | Error>>) {
  mock.timers.enable({ apis: ['Date'] });
  try {
    const options = readTortureOptions(['--minutes', minutes, '--seed', '7'], new AbortController().signal);
    const shares: Record<string, number> = {};
    const programOf = async (name: string): Promise<TortureProgram> => ({
      async run({ leftMs, isOver, seed }: TortureOptions) {
        shares[name] = leftMs() / minute;
        assert.deepEqual([isOver(), isOver(leftMs() + 1), seed], [false, true, 7]);
        const taken = taking[name];
        if (taken instanceof Error) throw taken;
        mock.timers.tick((taken ?? 0) * minute);
        return !name.startsWith('bad');
      },
    });
    const lines: string[] = [];
    const came = await runInTurn(Object.keys(taking), programOf, options, (line) => lines.push(line));
    return { ...came, shares, lines };
  } finally {
    mock.timers.reset();
  }
}

test('they divide the minutes, and what one leaves is for those that follow', async () => {
  const { shares, held, failed, left } = await turns('9', { a: 1, b: 4, c: 4 });
  assert.deepEqual(shares, { a: 3, b: 4, c: 4 });
  assert.deepEqual([held, failed, left], [['a', 'b', 'c'], [], []]);
});

test('one in which something does not hold, or that cannot go on, keeps none from its turn', async () => {
  const { held, failed, lines } = await turns('9', { bad: 3, broken: new Error('no room'), c: 1 });
  assert.deepEqual([held, failed], [['c'], ['bad', 'broken']]);
  assert.ok(lines.some((line) => line.startsWith('torture broken could not go on: Error: no room')));
});

test('for whom no time is left is named', async () => {
  const { held, left } = await turns('9', { a: 10, b: 1 });
  assert.deepEqual([held, left], [['a'], ['b']]);
});

test('are all that there are but the fuzzer, and a name that is none is refused', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../torture/run.ts'), ...args], {
      encoding: 'utf8',
    });
  const { stdout, status } = run('--minutes', '0');
  assert.deepEqual(
    [stdout, status],
    ['torture: no time was left for agents, api-server, faults, flood, hands, hostile, ipam, pods\n', 0],
  );
  const refused = run('none', '--minutes', '1');
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    /^"none" is no torture; say one of agents, .*; without a name all have their turn\n$/,
  );
});
