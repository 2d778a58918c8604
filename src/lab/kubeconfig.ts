// Kubeconfig files: one for people, one for each node. They hold no token themselves but name the file that does.
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

/** Writes a kubeconfig, mode 0600, whose only context leads to this server with the token in this file. */
export function writeKubeconfig(path: string, server: string, tokenFile: string): void {
  const name = 'calico-lab';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: { tokenFile } }],
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
}
