// The old iptables, whose tables only its own tools know: what of the Calico that ran here before stands in them, and how it is
// taken out. Source: the output of iptables-save(8), which iptables-restore(8) reads with --noflush.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type Leftover, warningOf } from './leftover.ts';

const tools = {
  ip: {
    called: 'old iptables',
    names: '/proc/net/ip_tables_names',
    save: 'iptables-legacy-save',
    restore: 'iptables-legacy-restore',
  },
  ip6: {
    called: 'old ip6tables',
    names: '/proc/net/ip6_tables_names',
    save: 'ip6tables-legacy-save',
    restore: 'ip6tables-legacy-restore',
  },
} as const;

/** Bytes of text: a line for each of kube-proxy's rules, of which a large cluster has a hundred thousand. */
const maxBuffer = 1 << 30;

const ownChain = /^:(cali-\S+) /;
const ownRule = /^-A (?!cali-)(\S+ .*(?:-j|-g) cali-|\S+ .*--comment "?cali:)/;

/** What iptables-restore does to take Calico's chains and rules out of these tables; undefined when there are none. */
export function removalOf(saved: string): string | undefined {
  const tables = saved.split(/^(?=\*)/m).flatMap((text) => {
    const [name = ''] = text.split('\n');
    const lines = text.split('\n');
    const rules = lines.filter((line) => ownRule.test(line)).map((line) => line.replace('-A', '-D'));
    const chains = lines.flatMap((line) => ownChain.exec(line)?.[1] ?? []);
    if (!name.startsWith('*') || rules.length + chains.length === 0) return [];
    const flushes = chains.map((chain) => `-F ${chain}`);
    const deletions = chains.map((chain) => `-X ${chain}`);
    return [[name, ...rules, ...flushes, ...deletions, 'COMMIT', ''].join('\n')];
  });
  return tables.length > 0 ? tables.join('') : undefined;
}

/**
 * Nothing where the old iptables is not in use.
 * @throws Error that says what to do by hand when its tools are missing or refuse
 */
export function findInOldIptables(): Leftover[] {
  return (['ip', 'ip6'] as const).flatMap((family) => {
    const saved = savedOf(family);
    const removal = removalOf(saved);
    if (removal === undefined) return [];
    const count = removal.split('\n').filter((line) => /^-[DX] /.test(line)).length;
    return [
      {
        what: `${count} chains and rules of the ${tools[family].called}`,
        ...(/^:FORWARD DROP /m.test(saved) && {
          warning: warningOf(`Chain "FORWARD" of the ${tools[family].called}`),
        }),
        remove: () => removeFrom(family),
      },
    ];
  });
}

function removeFrom(family: keyof typeof tools): void {
  const removal = removalOf(savedOf(family));
  if (removal !== undefined) byTool(family, 'restore', ['--noflush', '--wait'], removal);
}

/** What its tables hold; empty where none is loaded, which is known without the tools. */
function savedOf(family: keyof typeof tools): string {
  const { names } = tools[family];
  if (!existsSync(names) || readFileSync(names, 'utf8').trim() === '') return '';
  return byTool(family, 'save', []);
}

function byTool(
  family: keyof typeof tools,
  what: 'save' | 'restore',
  arguments_: readonly string[],
  input?: string,
): string {
  const { save, restore, called } = tools[family];
  const tool = tools[family][what];
  try {
    return execFileSync(tool, arguments_, {
      encoding: 'utf8',
      stdio: 'pipe',
      maxBuffer,
      ...(input && { input }),
    });
  } catch (cause) {
    throw new Error(
      `Cannot look after rules of another Calico in the tables of the ${called}: ` +
        `"${tool}" is missing or failed. Should there be any, take them out by hand: ${save} | grep -v cali- | ${restore}`,
      { cause },
    );
  }
}
