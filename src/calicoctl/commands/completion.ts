// `calicoctl completion`: scripts that complete commands, options and kinds in a shell. They are made of the program's own
// declarations, so that they cannot fall behind; nothing is asked of the program while a person types.
import type { Command } from 'commander';
import { printedKinds } from '../kinds/kinds.ts';
import { CommandError } from '../problem.ts';

/** A place on the command line: the commands that lead to it, and what may follow. */
interface Place {
  /** "ipam release". */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly { readonly flag: string; readonly description: string }[];
  /** Whether a kind of resource comes first. */
  readonly takesKind: boolean;
}

/** @throws CommandError for a shell that is not known */
export function completionScript(program: Command, shell: string): string {
  const places = placesOf(program, []);
  if (shell === 'bash') return bashScript(places);
  if (shell === 'zsh') return `${zshPrelude}${bashScript(places)}`;
  if (shell === 'fish') return fishScript(places);
  throw new CommandError(`Cannot complete in "${shell}": the shells are bash, zsh and fish`);
}

/** zsh understands bash's scripts once it is told to; its own completion may not have been started where this is read. */
const zshPrelude = `(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
autoload -U bashcompinit && bashcompinit
`;

function placesOf(command: Command, path: readonly string[]): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((sub) => sub.name() !== 'help');
  const own: Place = {
    path: path.join(' '),
    commands: commands.map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: help
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long ? [{ flag: long, description }] : [])),
    takesKind: command.registeredArguments[0]?.name() === 'kind',
  };
  return [own, ...commands.flatMap((sub) => placesOf(sub, [...path, sub.name()]))];
}

function kindNames(): string[] {
  return printedKinds.map(({ kind }) => kind.toLowerCase());
}

function wordsAt(place: Place): string {
  const names = place.commands.map(({ name }) => name);
  return [...names, ...(place.takesKind ? kindNames() : []), ...place.options.map(({ flag }) => flag)].join(
    ' ',
  );
}

/** Also read by zsh, to which `path` and `words` mean something of its own, and which knows no parts of an array by "@:". */
function bashScript(places: readonly Place[]): string {
  const cases = places.map((place) => `    "${place.path}") candidates="${wordsAt(place)}" ;;`);
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  return `_calicoctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local place="" candidates="" index=1
  while [ "$index" -lt "$COMP_CWORD" ]; do
    case "\${place:+$place }\${COMP_WORDS[index]}" in
      ${paths.join('|')}) place="\${place:+$place }\${COMP_WORDS[index]}" ;;
    esac
    index=$((index + 1))
  done
  case "$previous" in
    -f|--filename|-c|--config|--from-report) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -F _calicoctl calicoctl
`;
}

/** As in bash, a word is a command only where it stands as one: "node" of "get node" is none. */
function fishScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  const lines = [
    'function __calicoctl_at',
    "  set -l place ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l next (string trim -- "$place $word")',
    `    contains -- "$next" ${paths.join(' ')}; and set place "$next"`,
    '  end',
    '  test "$place" = "$argv[1]"',
    'end',
    'complete -c calicoctl -f',
  ];
  for (const place of places) {
    const entry = (rest: string, description: string) =>
      lines.push(
        `complete -c calicoctl -n '__calicoctl_at "${place.path}"' ${rest} -d ${quoted(description)}`,
      );
    for (const { name, description } of place.commands) entry(`-a ${name}`, description);
    for (const { flag, description } of place.options) {
      entry(`${/^--(filename|config|from-report)$/.test(flag) ? '-F ' : ''}-l ${flag.slice(2)}`, description);
    }
    if (place.takesKind) entry(`-a '${kindNames().join(' ')}'`, 'kind');
  }
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
