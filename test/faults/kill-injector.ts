// Loaded into calico-node by `--import`: kills it, as SIGKILL does, at a counted point. A point lies before and after every
// netlink message, every kernel setting or file that is written, and every write to the datastore. The product knows
// nothing of it. The count is that of the file CALICO_TEST_KILL_FILE, which is taken away by the first process that reads it:
// at its start, or when SIGUSR2 comes.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Pool } from 'undici';
import { c } from '../../src/kernel/ffi.ts';

let left = 0;

function point(): void {
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

if (process.argv[1]?.endsWith('calico-node.ts')) {
  const take = () => {
    const file = process.env.CALICO_TEST_KILL_FILE;
    if (!file || !fs.existsSync(file)) return;
    left = Number(fs.readFileSync(file, 'utf8'));
    fs.unlinkSync(file);
  };
  take();
  process.on('SIGUSR2', take);
  const calls = c as unknown as Record<string, (...args: unknown[]) => unknown>;
  const { send } = calls;
  if (send) {
    const counted = between(send);
    // The form that waits on another thread has no point within, and stays what it is.
    calls.send = Object.assign(counted, { async: (send as unknown as { async: unknown }).async });
  }
  fs.writeFileSync = between(fs.writeFileSync);
  fs.renameSync = between(fs.renameSync);
  syncBuiltinESMExports();
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
