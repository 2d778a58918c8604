#!/usr/bin/env node
// calicoctl: manages Calico's resources, addresses and nodes; `calicoctl --help` says how. Also `kubectl calico`.
import { runCalicoctl } from '../src/calicoctl/index.ts';

process.exitCode = await runCalicoctl(process.argv.slice(2));
