#!/usr/bin/env node
// `npx calico-node`: prepares the clone if need be, then runs the program.
process.argv.splice(2, 0, 'calico-node');
await import('../run.js');
