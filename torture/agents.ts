// `npm run torture -- agents [--rounds N] [--minutes N] [--seed S]`: three real agents that are killed while pods come and go by
// the hundred; no address twice, none lost, in IPAM and in the kernel.
import { Agents } from './agents/agents.ts';
import { runRound } from './agents/round.ts';
import { Runtime } from './agents/runtime.ts';
import type { TortureOptions } from './options.ts';
import { Random } from './random.ts';

/** 128 addresses of each family, in eight blocks: at times there are too few. */
export const pools = {
  four: { cidr: '10.77.0.0/25', blockSize: 28, vxlanMode: 'Always' },
  six: { cidr: 'fd77::/121', blockSize: 124, vxlanMode: 'Always' },
} as const;

export async function run({ isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = new Random(seed);
  const agents = await Agents.start({
    id: `torture-agents-${process.pid}`,
    nodes: 3,
    pools,
    families: [4, 6],
  });
  const startedAt = Date.now();
  let done = 0;
  let collected = 0;
  try {
    const runtime = new Runtime(agents, random);
    for (; done < rounds && !isOver(); done++) {
      collected += await runRound(agents, runtime, random, {
        operations: 200,
        kills: 8,
        width: 8,
        level: 80,
      });
      const { added, deleted, failed, forgotten, cutOff } = runtime.counts;
      process.stdout.write(
        `round ${done + 1}, ${Math.round((Date.now() - startedAt) / 1000)} s: ${added} added, ${deleted} deleted, ` +
          `${failed} ADDs failed (${cutOff} cut off), ${forgotten} sandboxes forgotten, ${agents.restarts} agents died, ` +
          `${collected} pieces of garbage collected, ${runtime.running.size} pods run; no address twice, none lost\n`,
      );
    }
    return true;
  } catch (error) {
    process.stdout.write(
      `Round ${done + 1} fails (seed ${seed}; logs in ${agents.run.folder} are gone with the run)\n`,
    );
    console.error(error);
    return false;
  } finally {
    await agents.stop();
  }
}
