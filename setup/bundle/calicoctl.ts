// Bundles calicoctl as it is shipped: plain JavaScript that any Node.js of the range below runs. Each command is a file of its own,
// loaded when it is called. Nothing else is needed, but for koffi, by which the doctor of a node looks into the kernel: it is machine
// code, which no bundle can hold.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { oldestNode, version } from '../../src/calicoctl/version.ts';

const root = join(import.meta.dirname, '..', '..');

const leanUndici: Plugin = {
  name: 'lean undici',
  resolveId(specifier, importer = '') {
    if (specifier === 'undici') return join(import.meta.dirname, 'undici.js');
    const isHttp2 =
      specifier === './client-h2.js' && importer.endsWith(join('undici', 'lib', 'dispatcher', 'client.js'));
    return isHttp2 ? join(import.meta.dirname, 'http2.cjs') : null;
  },
};

/** Writes a folder that `npm pack` and `npm install` take. What is in the folder already stays. */
export async function bundleCalicoctl(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await using bundle = await rolldown({
    cwd: root,
    input: ['bin/calicoctl.ts', 'bin/kubectl-calico.ts'],
    platform: 'node',
    external: ['koffi'],
    plugins: [leanUndici],
    transform: { target: `node${oldestNode}` },
  });
  const { output } = await bundle.write({ dir: folder, format: 'esm', minify: true });
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licensesOf(modules));
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const manifest = {
  name: 'calicoctl',
  version,
  description: "Manages Calico's resources, addresses and nodes",
  license: 'Apache-2.0',
  type: 'module',
  engines: { node: `>=${oldestNode}` },
  optionalDependencies: { koffi: dependencies.koffi },
  bin: { calicoctl: 'calicoctl.js', 'kubectl-calico': 'kubectl-calico.js' },
};

/** The licences of the packages that these modules come from, which a bundle must carry along. */
function licensesOf(modules: readonly string[]): string {
  const packages = modules.flatMap(
    (module) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(module)?.[0] ?? [],
  );
  return [...new Set(packages)]
    .toSorted()
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(licenseFile(folder), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(72)}\n\n`);
}

function licenseFile(folder: string): string {
  const file = ['LICENSE', 'LICENSE.md', 'license'].map((name) => join(folder, name)).find(existsSync);
  if (file === undefined) throw new Error(`Cannot bundle ${folder}: it comes without a licence`);
  return file;
}
