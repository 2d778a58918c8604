// File descriptors as a process runs out of them: this one, which is the test's own.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const few = 256;

/** Takes all but `spare` of this process's descriptors while `body` runs. */
export async function withoutDescriptors<T>(spare: number, body: () => Promise<T>): Promise<T> {
  const before = softLimit();
  setSoftLimit(String(few));
  const taken: number[] = [];
  try {
    takeAll(taken);
    for (let i = 0; i < spare; i++) closeSync(taken.pop() ?? -1);
    return await body();
  } finally {
    for (const fd of taken) closeSync(fd);
    setSoftLimit(before);
  }
}

function takeAll(taken: number[]): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
}

function softLimit(): string {
  const options = ['--nofile', '--output', 'SOFT', '--noheadings'];
  return execFileSync('prlimit', ['--pid', String(process.pid), ...options], { encoding: 'utf8' }).trim();
}

function setSoftLimit(soft: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
}
