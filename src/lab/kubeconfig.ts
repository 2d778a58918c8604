// Kubeconfig files: one for people and their kubectl, one for each node and its agent. Both let whoever reads them do everything.
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';

/**
 * Writes a kubeconfig for kubectl, mode 0600. The token stands in the URL as a password, because that is the one credential
 * that kubectl sends over plain HTTP; on loopback there is nobody to read it on the way.
 */
export function writePeoplesKubeconfig(path: string, server: string, token: string): void {
  const url = new URL(server);
  write(path, `${url.protocol}//calico-lab:${token}@${url.host}`, {});
}

/** Writes a kubeconfig for our own client, mode 0600, which names the file that holds the token. */
export function writeNodeKubeconfig(path: string, server: string, tokenFile: string): void {
  write(path, server, { tokenFile });
}

function write(path: string, server: string, user: { tokenFile?: string }): void {
  const name = 'calico-lab';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user }],
  };
  writeFileSync(path, stringify(config), { mode: 0o600 });
}
