// Every check of the doctor, in the order in which its findings are told.
import { addressChecks } from './addresses.ts';
import { agentChecks } from './agents.ts';
import { bgpChecks, nodeBgpChecks } from './bgp.ts';
import { nodeChecks } from './node.ts';
import { rangeChecks } from './ranges.ts';
import { setupChecks } from './setup.ts';

export const clusterChecks = [...agentChecks, ...setupChecks, ...addressChecks, ...rangeChecks, ...bgpChecks];

/** Of the node that the doctor runs on. */
export const localChecks = [...nodeChecks, ...nodeBgpChecks];
