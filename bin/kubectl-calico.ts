#!/usr/bin/env node
// calicoctl under the name by which kubectl finds it as a plugin: `kubectl calico get ippool`.
import { runCalicoctl } from '../src/calicoctl/index.ts';

process.exitCode = await runCalicoctl(process.argv.slice(2), 'kubectl calico');
