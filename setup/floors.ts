// The floors of the house: which room may look down into which, and that every room is entered by its door.
// Reads import statements only; it does not judge what is imported.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

/** From the ground up. A room may import rooms of lower floors, and those rooms of its own floor that are named here. */
const floors: readonly (readonly string[])[] = [
  ['net', 'resources', 'selector', 'policy', 'datastore', 'kernel', 'process'],
  ['calc', 'ipam', 'dataplane'],
  ['felix', 'cni', 'bgp', 'flows', 'apiserver'],
  ['node', 'kube-controllers', 'calicoctl', 'typha', 'lab'],
];

/** Rooms whose imports are narrower, or on their own floor, than the floors say: exactly these are allowed. */
const exactly: Readonly<Record<string, readonly string[]>> = {
  net: [],
  selector: [],
  process: [],
  kernel: ['net'],
  resources: ['net', 'selector'],
  policy: ['net', 'selector', 'resources'],
  datastore: ['net', 'resources', 'process'],
  ipam: ['net', 'resources', 'selector', 'datastore', 'process'],
  calc: ['net', 'selector', 'resources', 'policy'],
  bgp: ['net', 'resources', 'selector', 'policy', 'datastore', 'kernel', 'process'],
  dataplane: ['net', 'policy', 'calc', 'kernel', 'process'],
  'kube-controllers': ['net', 'policy', 'selector', 'resources', 'datastore', 'process', 'ipam'],
  node: [
    'net',
    'resources',
    'policy',
    'selector',
    'datastore',
    'kernel',
    'process',
    'calc',
    'ipam',
    'dataplane',
    'felix',
    'cni',
    'bgp',
  ],
};

/** Packages that only one room may touch, so that what they stand for has one place. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  koffi: ['kernel'],
  'node:sqlite': ['apiserver'],
  undici: ['datastore', 'calicoctl', 'lab'],
};

/**
 * Folders that prove others of their room, and must not share code with them: the files that they may load beside their own.
 * Types are no code. In turn nobody but the room's door may load theirs.
 */
const independent: Readonly<Record<string, readonly string[]>> = {
  'src/policy/evaluate': ['src/policy/annotations.ts'],
};

/** Returns one sentence per breach; an empty list when the house stands. */
export function checkFloors(root: string): string[] {
  const faults: string[] = [];
  for (const file of globSync('{src,bin}/**/*.ts', { cwd: root })) {
    faults.push(...sharedCode(root, file));
    const room = roomOf(file);
    const isTest = file.endsWith('.test.ts');
    for (const specifier of importsOf(readFileSync(join(root, file), 'utf8'))) {
      if (!specifier.startsWith('.')) {
        const rooms =
          onlyIn[
            specifier
              .split('/')
              .slice(0, specifier.startsWith('@') ? 2 : 1)
              .join('/')
          ];
        if (rooms && !rooms.includes(room) && !isTest) {
          faults.push(`${file}: imports "${specifier}", which only ${rooms.join(', ')} may`);
        }
        continue;
      }
      const target = relative(root, resolve(root, dirname(file), specifier));
      const other = roomOf(target);
      if (other === room) continue;
      if (target.startsWith('src/') && !/^src\/[^/]+\/index\.ts$/.test(target)) {
        faults.push(
          `${file}: imports "${specifier}" past the door of ${other}; import src/${other}/index.ts`,
        );
      }
      if (!isTest && !mayImport(room, other)) faults.push(`${file}: ${room} may not import ${other}`);
    }
  }
  return faults;
}

function sharedCode(root: string, file: string): string[] {
  if (file.endsWith('.test.ts')) return [];
  const faults: string[] = [];
  for (const specifier of loadedBy(root, file)) {
    const target = specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
      : specifier;
    for (const [folder, allowed] of Object.entries(independent)) {
      const [from, to] = [file, target].map((path) => path.startsWith(`${folder}/`));
      if (from && !to && !allowed.includes(target))
        faults.push(`${file}: loads "${specifier}"; ${folder} proves its room and shares no code with it`);
      if (!from && to && basename(file) !== 'index.ts')
        faults.push(`${file}: loads "${specifier}"; what ${folder} proves shares no code with it`);
    }
  }
  return faults;
}

/** What a file imports but for types, which are no code. */
export function loadedBy(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return importsOf(text.replaceAll(/(?:^|\n)\s*(?:import|export) type\s[^;]*;/g, ''));
}

function mayImport(room: string, other: string): boolean {
  if (room === 'bin') return true;
  const named = exactly[room];
  if (named) return named.includes(other);
  return floorOf(other) < floorOf(room);
}

function floorOf(room: string): number {
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  if (floor < 0) throw new Error(`The room "${room}" stands on no floor; add it in setup/floors.ts`);
  return floor;
}

function roomOf(file: string): string {
  const parts = file.split('/');
  return (parts[0] === 'src' ? parts[1] : parts[0]) ?? '';
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
