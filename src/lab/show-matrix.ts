// `calico-lab matrix`: has the running cluster probe itself and prints what arrived.
import { askControl } from './control.ts';
import { channels as everyPort } from './demo/stages.ts';
import { type Channel, channelName, Matrix, type Transport } from './matrix/matrix.ts';
import { printMatrix } from './matrix/print.ts';
import { findRun } from './run/run.ts';
import { paint, say } from './terminal.ts';

/** Probes the one port that was asked for, or every port of the sample workload that fits what was asked. */
export async function showMatrix(
  id: string,
  asked: { readonly proto?: Transport; readonly port?: string | number },
): Promise<number> {
  const run = findRun(id);
  if (!run) {
    say(`There is no cluster "${id}"; "calico-lab up" makes one`);
    return 1;
  }
  const report = await askControl(run, 'matrix', { channels: channelsFor(asked) });
  const matrix = new Matrix(report.pods, report.channels);
  for (const [channel, from, to] of report.open) matrix.setOpen(channel, from, to);
  say(`Probed ${report.channels.map(channelName).join(', ')}`);
  say();
  for (const line of printMatrix(matrix, paint)) say(line);
  return 0;
}

function channelsFor({ proto, port }: { proto?: Transport; port?: string | number }): Channel[] {
  if (port !== undefined) {
    const known = everyPort.find((channel) => channel.port === port);
    return [{ protocol: proto ?? known?.protocol ?? 'tcp', port }];
  }
  return everyPort.filter(({ protocol }) => proto === undefined || protocol === proto);
}
