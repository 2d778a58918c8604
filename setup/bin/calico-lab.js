#!/usr/bin/env node
// `npx calico-lab`: prepares the clone if need be, then runs the program.
process.argv.splice(2, 0, 'calico-lab');
await import('../run.js');
