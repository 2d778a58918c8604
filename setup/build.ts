// `npm run build`: builds what is shipped. A clone needs none of it: there the sources run as they stand.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCalicoctl } from './bundle/calicoctl.ts';

const folder = join(import.meta.dirname, '..', 'dist', 'calicoctl');
rmSync(folder, { recursive: true, force: true });
await bundleCalicoctl(folder);
console.log(`calicoctl is in ${folder}; "npm install --global ${folder}" installs it`);
