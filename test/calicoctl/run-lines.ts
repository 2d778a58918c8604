// Runs the command lines that stand on the standard input, a JSON list of lists of words, in one process. Ends with the exit code of
// the first that fails, without running the rest.
import { text } from 'node:stream/consumers';
import { runCalicoctl } from '../../src/calicoctl/index.ts';

for (const line of JSON.parse(await text(process.stdin))) {
  process.exitCode = await runCalicoctl(line);
  if (process.exitCode !== 0) break;
}
