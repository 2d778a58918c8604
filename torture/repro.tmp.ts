import { seeded } from '../test/faults/seeded.ts';
import { flood } from '../test/dataplane/flood.ts';
import { hostPlain, sharedSetsScenario } from '../test/dataplane/host-flood.ts';
import { HostLab } from '../test/dataplane/host-lab.ts';
const end = performance.now() + Number(process.argv[2]) * 60_000;
const first = Number(process.argv[3] ?? 1);
let probes = 0, done = 0;
const wrong: string[] = [];
for (let seed = first; performance.now() < end; seed++) {
  const lab = await HostLab.make(`r${seed % 10}`);
  try {
    const r = await flood(hostPlain(lab), sharedSetsScenario(), { changes: 150, replaced: 1, random: seeded(seed), isOver: () => performance.now() > end });
    probes += r.probes; done += r.done; wrong.push(...r.wrong.map((w) => `seed ${seed}: ${w}`));
    for (const w of r.wrong) console.log(`seed ${seed}: ${w}`);
  } finally { await lab.remove(); }
}
console.log(`${probes} probes, ${done} changes, ${wrong.length} lanes wrong`);
