import type { Command } from 'commander';
import type { Finish } from './declare.ts';

export function addClusterCommands(_program: Command, _finish: Finish): void {}
