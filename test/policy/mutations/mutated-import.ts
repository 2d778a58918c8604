// Loads the sources once more with one of them changed: a mutant of the compiler beside the healthy one, in one process.
// Every module of src/ and test/ that the import reaches is loaded anew, but for those that only speak to the kernel.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** One change of a source: `find` must stand there exactly once. */
export interface Mutation {
  /** What is wrong with the mutant, in words. */
  readonly says: string;
  /** Under src/. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = pathToFileURL(join(import.meta.dirname, '../../..', '/')).href;
const parameter = '?mutant=';
const mutations: Mutation[] = [];
let isHooked = false;

/** @throws Error when the mutation does not fit the source: then the source has changed, and the mutation must too */
export function importMutated(mutation: Mutation, url: string): Promise<unknown> {
  if (!isHooked) hook();
  isHooked = true;
  mutations.push(mutation);
  return import(`${url}${parameter}${mutations.length - 1}`);
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const found = nextResolve(specifier, context);
      const [, mutant] = context.parentURL?.split(parameter) ?? [];
      const isOurs = found.url.startsWith(`${root}src/`) || found.url.startsWith(`${root}test/`);
      if (mutant === undefined || !isOurs || found.url.startsWith(`${root}src/kernel/`)) return found;
      return { ...found, url: `${found.url}${parameter}${mutant}`, shortCircuit: true };
    },
    load(url, context, nextLoad) {
      const [file = '', mutant] = url.split(parameter);
      if (mutant === undefined) return nextLoad(url, context);
      const loaded = nextLoad(file, context);
      const {
        file: mutated,
        find,
        replace,
      } = mutations[Number(mutant)] ?? { file: '', find: '', replace: '' };
      if (file !== `${root}src/${mutated}` || loaded.source === undefined || loaded.source === null)
        return loaded;
      const source =
        typeof loaded.source === 'string'
          ? loaded.source
          : Buffer.from(loaded.source as Uint8Array).toString();
      if (source.split(find).length !== 2)
        throw new Error(`The mutation of ${mutated} must find exactly once: ${find}`);
      return { ...loaded, source: source.replace(find, () => replace) };
    },
  });
}
