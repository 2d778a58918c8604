#!/usr/bin/env node
// `npx calicoctl`: prepares the clone if need be, then runs the program.
process.argv.splice(2, 0, 'calicoctl');
await import('../run.js');
