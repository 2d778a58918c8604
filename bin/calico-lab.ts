// calico-lab: a whole cluster on one machine. Run as root; `calico-lab --help` says what it can do.
import { runLab } from '../src/lab/index.ts';

process.exitCode = await runLab(process.argv.slice(2));
