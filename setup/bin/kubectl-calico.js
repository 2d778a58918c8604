#!/usr/bin/env node
// `kubectl calico`: prepares the clone if need be, then runs the program.
process.argv.splice(2, 0, 'kubectl-calico');
await import('../run.js');
