// `calico-lab topology`: who speaks BGP with whom in the running cluster, and who tells of what; as tables, and as a picture.
import { writeFileSync } from 'node:fs';
import { askControl } from '../control.ts';
import { findRun } from '../run/run.ts';
import { paint, say, sayTable } from '../terminal.ts';
import { linkTable, speakerTable } from './print.ts';
import { topologySvg } from './svg.ts';

/** 0 when every session is up; 1 when one is not, or when there is no such cluster. */
export async function showTopology(id: string, { svg }: { readonly svg?: string }): Promise<number> {
  const run = findRun(id);
  if (!run) {
    say(`There is no cluster "${id}"; "calico-lab up --bgp" makes one`);
    return 1;
  }
  const topology = await askControl(run, 'topology', {});
  const { links, speakers } = topology;
  const up = links.filter(({ isUp }) => isUp).length;
  say(`Cluster "${id}": ${speakers.length} BGP speakers, ${up} of ${links.length} sessions up`);
  say();
  for (const { heads, rows } of [speakerTable(topology), linkTable(topology)]) {
    sayTable(heads, rows);
    say();
  }
  if (svg !== undefined) {
    writeFileSync(svg, topologySvg(topology, id));
    say(`${paint('green', '✓')} The picture is in ${svg}`);
  }
  return up === links.length && speakers.every(({ trouble }) => trouble === undefined) ? 0 : 1;
}
