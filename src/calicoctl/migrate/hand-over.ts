// Copies what is about addresses, while nobody assigns any, and puts the new group in charge of them. Can be killed at any point
// and begun again, or given up; two who do it at once do not undo each other's work.
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesClient } from '../../datastore/index.ts';
import { CommandError } from '../problem.ts';
import { isInCharge, isReady, putNewInCharge, readOld, setOldReady, stopNew } from './charge.ts';
import { aboutAddresses, planMigration } from './plan.ts';
import { writePlanned } from './write.ts';

const say = (text: string) => void process.stdout.write(text);

/** @throws CommandError when somebody gave it up meanwhile; ConflictError when somebody writes what is being copied */
export async function handOver(client: KubernetesClient, settleSeconds: number): Promise<void> {
  const old = await readOld(client);
  await stopNew(client);
  if (old) await setOldReady(client, false);
  say(
    'The old cluster sets up no pods from now on; those that start or end wait until their node is taken over\n',
  );
  let copied = 0;
  for (let looks = 0; ; looks++) {
    const planned = await planMigration(client, aboutAddresses);
    // Only after it was looked at: what changes from here on is refused by its revision.
    if (await isInCharge(client)) {
      say('Somebody else has put the new group in charge meanwhile: there is nothing left to do\n');
      return;
    }
    const bad = planned.find(({ action }) => action === 'invalid');
    if (bad) throw new CommandError(`Cannot copy ${bad.kind.to.kind} "${bad.key}": ${bad.why}`);
    const due = planned.filter(({ action }) => action !== 'unchanged');
    copied += await writePlanned(client, due, true);
    // A request that was under way may write for a little while: only a later look that finds nothing new is the last.
    if (due.length === 0 && looks > 0) break;
    await sleep(settleSeconds * 1000);
  }
  if (isReady(await readOld(client))) {
    throw new CommandError(
      'The old cluster was told meanwhile that it may assign addresses again (--abort): the new group is not in charge; start again',
    );
  }
  await putNewInCharge(client, old);
  say(`Wrote ${copied} objects about addresses; the new group is in charge of them\n`);
  say('Now take the nodes over, one after another: see docs/migrate-from-calico.md\n');
}

/** @throws CommandError when it is too late */
export async function giveBack(client: KubernetesClient): Promise<void> {
  const refuseLate = async () => {
    if (!(await isInCharge(client))) return;
    throw new CommandError(
      'Cannot give the addresses back to the old cluster: the new one is in charge of them, and what it assigned since is unknown to the old one',
    );
  };
  await refuseLate();
  await setOldReady(client, true);
  try {
    await refuseLate();
  } catch (error) {
    // Somebody else's copying ended at this very moment.
    await setOldReady(client, false);
    throw error;
  }
  say('The old cluster assigns addresses again\n');
}
