// `npm run torture -- hands [--rounds N] [--minutes N] [--seed S]`: other programs' hands on a node's table, links, routes, neighbours and
// settings, at seeded moments, one or two at once, on a table of its own and on one that anybody may change; and what a flood of
// probes saw. What passes while the node lies open, without its table or with a pod's link under another name, is told as exposure.
import { type HandsRound, handsRound } from '../test/faults/hands.ts';
import { OneNode } from '../test/faults/one-node.ts';
import { seeded } from '../test/faults/seeded.ts';
import { shareOf, type TortureOptions } from './options.ts';
import { countForbidden, countPermitted, countSent, newTally, report } from './report.ts';

export async function run(options: TortureOptions): Promise<boolean> {
  const owned = await runOn(true, shareOf(options, 2));
  return (await runOn(false, options)) && owned;
}

async function runOn(isOwned: boolean, { isOver, rounds, seed }: TortureOptions): Promise<boolean> {
  const random = seeded(seed);
  const tally = newTally();
  const exposuresMs: number[] = [];
  let exposed = 0;
  const node = await OneNode.make('hands', { owned: isOwned });
  try {
    for (; tally.rounds < rounds && !isOver(); tally.rounds++) {
      const round = await handsRound(node, random, { isOwned });
      tally.convergedMs.push(round.repairedMs);
      countForbidden(tally, forbiddenIn(round));
      countPermitted(tally, round.afterwards.permitted);
      for (const { name, arrived } of forbiddenIn(round))
        if (arrived > 0)
          process.stdout.write(`hands: ${arrived} wrongly allowed: ${name} (${round.hands})\n`);
      if (!round.isOpening) continue;
      countSent(tally, round.meanwhile.forbidden);
      for (const { arrived } of round.meanwhile.forbidden) exposed += arrived;
      exposuresMs.push(Math.max(...round.meanwhile.forbidden.map(({ longestPassMs }) => longestPassMs)));
    }
  } finally {
    await node.remove();
  }
  const whose = isOwned ? 'table of its own' : 'table of anybody';
  process.stdout.write(
    `hands on a ${whose}: open ${exposuresMs.length} times, for ${Math.max(0, ...exposuresMs).toFixed(1)} ms at most; ${exposed} forbidden packets passed meanwhile\n`,
  );
  return report(`hands on a ${whose}`, seed, tally);
}

/** Where nothing may pass. */
function forbiddenIn({ meanwhile, afterwards, isOpening }: HandsRound) {
  return [...(isOpening ? [] : meanwhile.forbidden), ...afterwards.forbidden];
}
