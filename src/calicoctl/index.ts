// The door of calicoctl: its command line, which bin/calicoctl.ts runs. No other room builds on it.
export { runCalicoctl } from './start.ts';
