// Kubeconfig files for a cluster whose users have certificates.
import { writeFileSync } from 'node:fs';
import type { Certificate } from './certificates.ts';

export function writeKubeconfig(
  path: string,
  server: string,
  authority: string,
  { certificate, key }: Certificate,
): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'cluster',
    contexts: [{ name: 'cluster', context: { cluster: 'cluster', user: 'user' } }],
    clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'user', user: { 'client-certificate': certificate, 'client-key': key } }],
  };
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
}
