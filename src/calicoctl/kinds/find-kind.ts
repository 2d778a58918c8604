// Finds a kind by what a person calls it: singular, plural, short name, in any case, with or without the group.
import { CommandError } from '../problem.ts';
import { type PrintedKind, printedKinds } from './kinds.ts';

/** @throws CommandError that lists the kinds */
export function findPrintedKind(word: string): PrintedKind {
  const wanted = word.toLowerCase().replace(/(\.v3)?\.projectcalico\.org$/, '');
  const found = printedKinds.find(
    ({ kind, plural, aliases }) =>
      kind.toLowerCase() === wanted || plural === wanted || aliases.includes(wanted),
  );
  if (found) return found;
  const names = printedKinds.map(({ kind }) => kind).join(', ');
  throw new CommandError(`"${word}" is not a kind of resource; the kinds are ${names}`);
}
