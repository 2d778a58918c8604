// A page of docs/, typed command by command as its readers would.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { helmPath } from '../../setup/helm.ts';
import type { Cluster } from './cluster.ts';
import { kubernetesPrograms } from './kubernetes-programs.ts';

const root = join(import.meta.dirname, '../..');

export class Guide {
  readonly #sections: readonly string[];

  /** @param page Its path from the project's folder. */
  constructor(page: string) {
    this.#sections = readFileSync(join(root, page), 'utf8').split(/^## /m);
  }

  /** The commands of a section, in order; the heading may be given by its first words. */
  commandsOf(heading: string): string[] {
    const commands = [...this.#section(heading).matchAll(/^ {4}(\S(?:\\\n|.)*)$/gm)];
    assert.notEqual(commands.length, 0, `no commands under "${heading}"`);
    return commands.map(([, command = '']) => command);
  }

  /** The YAML that a section shows. */
  yamlOf(heading: string): string {
    const [, yaml] = /^```yaml\n(.*?)^```/ms.exec(this.#section(heading)) ?? [];
    assert.ok(yaml, `no YAML under "${heading}"`);
    return yaml;
  }

  /** What a table of the section says in the row that begins so, as far as it is to be typed: "cni.binFolder=/usr/lib/cni". */
  valuesOf(heading: string, row: string): string[] {
    const lines = this.#section(heading).split('\n');
    const line = lines.find((text) => text.startsWith(`| ${row}`));
    assert.ok(line, `no row "${row}" under "${heading}"`);
    return [...line.matchAll(/`([\w.]+=[^`\s]+)`/g)].map(([, value = '']) => value);
  }

  #section(heading: string): string {
    const section = this.#sections.find((text) => text.startsWith(heading));
    assert.ok(section, `no section "${heading}"`);
    return section;
  }
}

/** As people type it, in the folder of the project; resolves with what it printed. @throws CommandError */
export function type(cluster: Cluster, command: string): Promise<string> {
  const helm = join(cluster.run.path, 'helm');
  const npm = join(cluster.run.path, 'npm');
  // Programs that npm installs are for the Node.js that we run on, whatever the machine has.
  const folders = [programs(cluster), join(npm, 'bin'), dirname(process.execPath)];
  return cluster.api.runClient(['sh', '-ec', `cd ${root}\n${command}`], {
    PATH: `${folders.join(':')}:${process.env.PATH}`,
    HELM_CACHE_HOME: join(helm, 'cache'),
    HELM_CONFIG_HOME: join(helm, 'configuration'),
    HELM_DATA_HOME: join(helm, 'data'),
    npm_config_prefix: npm,
    npm_config_cache: join(npm, 'cache'),
    // There is no other network than the cluster's; what is left out is for machines that are nodes.
    npm_config_offline: 'true',
    npm_config_omit: 'optional',
    npm_config_update_notifier: 'false',
  });
}

/** A folder with the programs that pages name and do not bring, by those names. */
function programs(cluster: Cluster): string {
  const folder = join(cluster.run.path, 'programs');
  mkdirSync(folder, { recursive: true });
  const commands = {
    kubectl: `${kubernetesPrograms()} kubectl`,
    helm: helmPath(),
  };
  for (const [name, command] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }
  return folder;
}
