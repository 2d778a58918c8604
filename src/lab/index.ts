// The door of the lab: its command line, which bin/calico-lab.ts runs. No other room builds on the lab.
export { runLab } from './commands.ts';
