// Finds a kind by what a person calls it: singular, plural, short name, in any case, with or without the group.
import { nearestName } from '../../resources/index.ts';
import { CommandError } from '../problem.ts';
import { type PrintedKind, printedKinds } from './kinds.ts';

/** @throws CommandError that names the nearest kind, or lists all where none is near */
export function findPrintedKind(word: string): PrintedKind {
  const wanted = word.toLowerCase().replace(/(\.v3)?\.projectcalico\.org$/, '');
  const found = printedKinds.find(
    ({ kind, plural, aliases }) =>
      kind.toLowerCase() === wanted || plural === wanted || aliases.includes(wanted),
  );
  if (found) return found;
  const nearest = nearestName(
    wanted,
    printedKinds.flatMap(({ kind, plural }) => [kind.toLowerCase(), plural]),
  );
  const names = printedKinds.map(({ kind }) => kind).join(', ');
  throw new CommandError(
    `"${word}" is not a kind of resource; ${nearest ? `did you mean "${nearest}"?` : `the kinds are ${names}`}`,
  );
}
