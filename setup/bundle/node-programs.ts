// Bundles the programs that run in the cluster, for the image: plain JavaScript, with koffi beside it, which brings a library of
// machine code and cannot be bundled.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..', '..');
const programs = ['calico-node', 'calico-kube-controllers', 'calicoctl'];

/** Writes `calico-node/calico-node.js` and so on into a folder. Plugins may change what is bundled. */
export async function bundleNodePrograms(folder: string, plugins: readonly Plugin[] = []): Promise<void> {
  for (const program of programs) await bundleProgram(program, join(folder, program), plugins);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ type: 'module' })}\n`);
  const machine = `@koromix/koffi-linux-${process.arch}`;
  for (const name of ['koffi', machine]) {
    const target = join(folder, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    // Its sources, its documentation and its build script stay behind, as does what is for another C library.
    cpSync(join(root, 'node_modules', name), target, {
      recursive: true,
      filter: (path) => !/koffi\/(vendor|doc|cnoke|lib)|\/musl_|\.(cc|hh|inc|def|asm|S)$/.test(path),
    });
  }
}

/**
 * Each by itself, though they share much: of programs that are bundled together, one may become the place where the others find what
 * they share, and starts when it is looked for there.
 */
async function bundleProgram(program: string, folder: string, plugins: readonly Plugin[]): Promise<void> {
  await using bundle = await rolldown({
    cwd: root,
    input: [`bin/${program}.ts`],
    platform: 'node',
    external: ['koffi'],
    plugins: [...plugins],
    transform: { target: 'node26' },
  });
  // Not minified: an operator who reads a stack trace finds names in it.
  await bundle.write({ dir: folder, format: 'esm' });
}
