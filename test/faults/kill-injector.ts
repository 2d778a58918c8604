// Loaded into calico-node by `--import`: kills it, as SIGKILL does, at a counted point. A point lies before and after every
// system call that the product makes itself, every file it reads or writes, and every write to the datastore. The product
// knows nothing of it. Orders lie in the file CALICO_TEST_KILL_FILE, which is taken away by the first process that reads
// it: at its start, or when SIGUSR2 comes. Without orders, SIGUSR2 writes down how many points have been passed.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Pool } from 'undici';
import { c } from '../../src/kernel/ffi.ts';

export interface KillOrders {
  /** Which point kills; 0 for none. */
  readonly after: number;
  /** Where to write how many points were passed since the orders came. */
  readonly report?: string;
}

let left = 0;
let passed = 0;
let report: string | undefined;

function point(): void {
  passed++;
  if (left > 0 && --left === 0) process.kill(process.pid, 'SIGKILL');
}

function between<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    point();
    const result = call(...args);
    point();
    return result;
  };
}

type SystemCall = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void };

function countSystemCalls(): void {
  const calls = c as unknown as Record<string, SystemCall>;
  for (const [name, call] of Object.entries(calls)) {
    const async = (...args: unknown[]) => {
      point();
      const done = args.pop() as (...answer: unknown[]) => void;
      call.async(...args, (...answer: unknown[]) => {
        point();
        done(...answer);
      });
    };
    calls[name] = Object.assign(between(call), { async });
  }
}

function countFiles(): void {
  const { readFileSync, writeFileSync, existsSync, unlinkSync } = fs;
  const files = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const name of [
    'readFileSync',
    'writeFileSync',
    'renameSync',
    'mkdirSync',
    'rmSync',
    'unlinkSync',
    'openSync',
    'closeSync',
    'chmodSync',
  ]) {
    const call = files[name];
    if (call) files[name] = between(call);
  }
  const take = () => {
    const file = process.env.CALICO_TEST_KILL_FILE;
    if (!file) return;
    if (existsSync(file)) {
      const orders = JSON.parse(readFileSync(file, 'utf8')) as KillOrders;
      unlinkSync(file);
      left = orders.after;
      report = orders.report;
      passed = 0;
    } else if (report !== undefined) {
      writeFileSync(report, String(passed));
      report = undefined;
    }
  };
  process.on('SIGUSR2', take);
  syncBuiltinESMExports();
  take();
}

function countRequests(): void {
  const request = Pool.prototype.request as (this: Pool, ...args: unknown[]) => Promise<unknown>;
  Pool.prototype.request = async function counted(this: Pool, ...args: unknown[]) {
    const { method } = args[0] as { method: string };
    if (method === 'GET') return request.apply(this, args);
    point();
    const answer = await request.apply(this, args);
    point();
    return answer;
  } as typeof Pool.prototype.request;
}

if (process.argv[1]?.endsWith('calico-node.ts')) {
  countSystemCalls();
  countFiles();
  countRequests();
}
