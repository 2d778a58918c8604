// `npm run generate`: writes what is derived from the kinds of src/resources and from Felix' parameters, and removes what is derived no more.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parameterPage, parameterPagePath } from '../src/felix/index.ts';
import { generatedFiles, generatedFolders } from '../src/resources/index.ts';

const root = join(import.meta.dirname, '..');
const files = generatedFiles();
const wanted = new Set(files.map(({ path }) => path));

for (const folder of generatedFolders) {
  mkdirSync(join(root, folder), { recursive: true });
  for (const file of readdirSync(join(root, folder))) {
    if (!wanted.has(`${folder}/${file}`)) rmSync(join(root, folder, file), { recursive: true });
  }
}
for (const { path, text } of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
writeFileSync(join(root, parameterPagePath), parameterPage());
console.log(`${files.length + 1} files written under ${generatedFolders.join(', ')}`);

// What people apply carries the definitions along; rendering it takes helm, which takes Go.
if (spawnSync('go', ['version']).status === 0) await import('./manifests.ts');
else console.log('There is no "go": manifests/*.yaml are as they were');
