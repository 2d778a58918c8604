// Access to an API server on loopback, as a kubeconfig would give it.
import { type ClusterAccess, staticCredential } from '../../src/datastore/index.ts';

export function accessTo(server: string, token = 'secret'): ClusterAccess {
  return { server, tls: {}, credential: staticCredential(`Bearer ${token}`), namespace: 'default' };
}
