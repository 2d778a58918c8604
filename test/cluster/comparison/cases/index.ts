// All that is asked of both servers.
import type { Case } from '../case.ts';
import { deleting } from './deleting.ts';
import { metadata } from './metadata.ts';
import { pods } from './pods.ts';
import { reading } from './reading.ts';
import { refusals } from './refusals.ts';
import { watching } from './watching.ts';
import { writing } from './writing.ts';

export const cases: readonly Case[] = [
  ...metadata,
  ...writing,
  ...refusals,
  ...reading,
  ...watching,
  ...deleting,
  ...pods,
];
