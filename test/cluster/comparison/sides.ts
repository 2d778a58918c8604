// The two servers of a comparison, with Calico's kinds in both: the real kube-apiserver, with those controllers whose work the
// embedded one does itself, and the embedded one. One kubectl asks both.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiCluster } from '../../calicoctl/api-cluster.ts';
import { ApiServer, serviceRange } from '../api-server.ts';
import { Daemon, eventually } from '../daemon.ts';
import { kubernetesPrograms } from '../kubernetes-programs.ts';
import { certificates, type Side } from './side.ts';

const definitions = join(import.meta.dirname, '..', '..', '..', 'manifests/crds');

export interface Sides extends AsyncDisposable {
  readonly real: Side;
  readonly embedded: Side;
}

export async function startSides(folder: string): Promise<Sides> {
  const environment = kubectlEnvironment(folder);
  const server = await ApiServer.start({ folder: join(folder, 'server') });
  const daemons: Daemon[] = [];
  let embedded: Pick<Sides, 'embedded' | typeof Symbol.asyncDispose> | undefined;
  const dispose = async () => {
    for (const daemon of daemons) await daemon.stop();
    await server.stop();
    await embedded?.[Symbol.asyncDispose]();
  };
  try {
    daemons.push(startControllers(server, join(folder, 'controllers.log')));
    await server.kubectl(['apply', '--server-side', '--filename', definitions]);
    await server.kubectl(['wait', '--for=condition=Established', '--all', '--timeout=60s', 'crd']);
    await eventually('the namespace "default" has its service account', () =>
      server.kubectl(['get', 'serviceaccount', 'default']).then(() => true),
    );
    embedded = await startEmbedded(folder);
    const admin = join(folder, 'server', 'certificates');
    return {
      real: {
        url: server.url,
        environment: { ...environment('real'), KUBECONFIG: server.kubeconfig },
        credentials: certificates({
          ca: server.authority.certificate,
          certificate: join(admin, 'admin.crt'),
          key: join(admin, 'admin.key'),
        }),
      },
      embedded: embedded.embedded,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startEmbedded(folder: string): Promise<Pick<Sides, 'embedded' | typeof Symbol.asyncDispose>> {
  const cluster = await ApiCluster.start();
  return {
    embedded: {
      url: cluster.url,
      environment: {
        ...kubectlEnvironment(folder)('embedded'),
        KUBECONFIG: cluster.kubectlEnvironment().KUBECONFIG ?? '',
      },
      credentials: { headers: { Authorization: 'Bearer secret' } },
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** A PATH with the cluster's own kubectl first, and a home of its own for each side, where kubectl keeps what it learns of a server. */
function kubectlEnvironment(folder: string): (side: string) => Record<string, string> {
  const programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  writeFileSync(join(programs, 'kubectl'), `#!/bin/sh\nexec ${kubernetesPrograms()} kubectl "$@"\n`, {
    mode: 0o755,
  });
  return (side) => {
    const home = join(folder, 'homes', side);
    mkdirSync(home, { recursive: true });
    return { PATH: `${programs}:${process.env.PATH}`, HOME: home };
  };
}

function startControllers(server: ApiServer, logPath: string): Daemon {
  const kubeconfig = server.kubeconfigFor('controllers', 'system:kube-controller-manager', [
    'system:masters',
  ]);
  const controllers = ['namespace-controller', 'serviceaccount-controller', 'garbage-collector-controller'];
  return new Daemon({
    name: 'kube-controller-manager',
    command: [
      kubernetesPrograms(),
      'kube-controller-manager',
      '--leader-elect=false',
      // It serves nobody here.
      '--secure-port=0',
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${controllers.join(',')}`,
      `--service-cluster-ip-range=${serviceRange}`,
    ],
    logPath,
  });
}
