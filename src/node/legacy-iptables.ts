// The old iptables, whose tables only its own tools know: what of the Calico that ran here before stands in them, and how it is
// taken out. Source: the output of iptables-save(8), which iptables-restore(8) reads with --noflush.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const tools = {
  ip: {
    names: '/proc/net/ip_tables_names',
    save: 'iptables-legacy-save',
    restore: 'iptables-legacy-restore',
  },
  ip6: {
    names: '/proc/net/ip6_tables_names',
    save: 'ip6tables-legacy-save',
    restore: 'ip6tables-legacy-restore',
  },
} as const;

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
 * Takes them out, and returns in words what there was. Does nothing where the old iptables is not in use.
 * @throws Error that says what to do by hand when its tools are missing or refuse
 */
export function removeLegacyLeftovers(): string[] {
  return (['ip', 'ip6'] as const).flatMap((family) => {
    const { names, save, restore } = tools[family];
    // Reading it tells without the tools whether any table is loaded.
    if (!existsSync(names) || readFileSync(names, 'utf8').trim() === '') return [];
    try {
      const removal = removalOf(execFileSync(save, { encoding: 'utf8', stdio: 'pipe' }));
      if (removal === undefined) return [];
      execFileSync(restore, ['--noflush', '--wait'], { input: removal, stdio: 'pipe' });
      const count = removal.split('\n').filter((line) => /^-[DX] /.test(line)).length;
      return [`${count} chains and rules of the old ${family === 'ip' ? 'iptables' : 'ip6tables'}`];
    } catch (cause) {
      throw new Error(
        `Cannot look into the tables of the old ${family === 'ip' ? 'iptables' : 'ip6tables'} for rules of another Calico: ` +
          `"${save}" is missing or failed. Should there be any, take them out by hand: ${save} | grep -v cali- | ${restore}`,
        { cause },
      );
    }
  });
}
