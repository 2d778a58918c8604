// etcd and kube-apiserver, the two real programs that together are a Kubernetes API, without any node: on loopback for tests of
// the API alone, or at an address of the underlay for a whole cluster.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { unpackedPackages } from '../../setup/debian-packages.ts';
import { type Certificate, CertificateAuthority } from './certificates.ts';
import { Daemon, eventually } from './daemon.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubectl } from './kubectl.ts';
import { kubernetesPrograms } from './kubernetes-programs.ts';
import { runCommand } from './run-command.ts';

export interface ApiServerOptions {
  /** Certificates, logs and etcd's data go below it. */
  readonly folder: string;
  /** Where it listens and what its certificate is for; loopback unless said otherwise. */
  readonly address?: string;
  /** Services may have addresses of both families. */
  readonly isDualStack?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  /** Whether it serves MutatingAdmissionPolicy, which it does of its own only from Kubernetes 1.36 on. */
  readonly mutates?: boolean;
  /** Starts a process in the namespace that has the address. */
  readonly spawnThere?: <T>(start: () => T) => T;
}

/** The first address of the Services' range is the API server's own. */
export const serviceRange = '10.96.0.0/16';
const serviceRange6 = 'fd96::/112';
const ownService = '10.96.0.1';
const groups = { admin: 'system:masters' };

/** What service accounts of Calico ask for, and nothing of the rest. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts:calico-system'] }, { level: 'None' }],
};

export class ApiServer {
  /** "https://127.0.0.1:40001" */
  readonly url: string;
  /** Path of the kubeconfig of one who may do everything. */
  readonly kubeconfig: string;
  readonly authority: CertificateAuthority;
  /** Path of the file in which every request of Calico's service accounts is a line of JSON. */
  readonly auditLog: string;
  /** Path of the key that signs service accounts' tokens. */
  readonly signingKey: string;
  readonly #options: ApiServerOptions;
  readonly #ports: { readonly api: number; readonly etcd: number; readonly peers: number };
  readonly #serving: Certificate;
  readonly #kubeletClient: Certificate;
  #etcd: Daemon;
  #server: Daemon;

  private constructor(options: ApiServerOptions, ports: { api: number; etcd: number; peers: number }) {
    const { folder, address = '127.0.0.1' } = options;
    this.#options = options;
    this.#ports = ports;
    this.url = `https://${address}:${ports.api}`;
    this.auditLog = join(folder, 'audit.log');
    writeFileSync(join(folder, 'audit-policy.json'), JSON.stringify(auditPolicy));
    this.authority = new CertificateAuthority(join(folder, 'certificates'));
    this.signingKey = this.authority.signingKey('service-accounts');
    this.#serving = this.authority.issue(
      'kube-apiserver',
      'kube-apiserver',
      [],
      [`IP:${address}`, `IP:${ownService}`, 'DNS:kubernetes.default.svc'],
    );
    this.#kubeletClient = this.authority.issue('kubelet-client', 'kube-apiserver', [groups.admin]);
    this.kubeconfig = this.kubeconfigFor('admin', 'admin', [groups.admin]);
    this.#etcd = this.#startEtcd();
    this.#server = this.#startServer();
  }

  /** Resolves when it answers that it is ready. @throws Error with its log when it does not come up */
  static async start(options: ApiServerOptions): Promise<ApiServer> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const [api, etcd, peers] = await freePorts();
    const server = new ApiServer(options, { api, etcd, peers });
    try {
      await server.untilReady();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async untilReady(): Promise<void> {
    await eventually(
      'kube-apiserver is ready',
      () => {
        this.#etcd.assertRunning();
        this.#server.assertRunning();
        return this.kubectl(['get', '--raw', '/readyz']).then((answer) => answer === 'ok');
      },
      { everyMs: 250 },
    );
  }

  /** Runs kubectl as admin; resolves with what it printed. @throws KubectlError */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return kubectl({ kubeconfig: this.kubeconfig, ...this.#options }, args, input);
  }

  /** Runs a client that finds its cluster by KUBECONFIG, as admin; resolves with what it printed. @throws CommandError */
  runClient(command: readonly [string, ...string[]], environment: NodeJS.ProcessEnv = {}): Promise<string> {
    const { spawnThere } = this.#options;
    return runCommand(command, {
      environment: { KUBECONFIG: this.kubeconfig, ...environment },
      ...(spawnThere && { spawnThere }),
    });
  }

  /** Writes a kubeconfig for a user and returns its path. */
  kubeconfigFor(file: string, user: string, userGroups: readonly string[] = []): string {
    const path = join(this.#options.folder, `${file}.kubeconfig`);
    const certificate = this.authority.issue(file, user, userGroups);
    writeKubeconfig(path, this.url, this.authority.certificate, certificate);
    return path;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await this.#etcd.stop();
  }

  /** The API server alone goes away and comes back with `restartServer`; its data stays. */
  stopServer(): Promise<void> {
    return this.#server.stop();
  }

  async restartServer(): Promise<void> {
    await this.#server.stop();
    this.#server = this.#startServer();
    await this.untilReady();
  }

  async restartEtcd(): Promise<void> {
    await this.#etcd.killed();
    this.#etcd = this.#startEtcd();
    await this.untilReady();
  }

  #startEtcd(): Daemon {
    const { etcd, peers } = this.#ports;
    const client = `http://127.0.0.1:${etcd}`;
    const peer = `http://127.0.0.1:${peers}`;
    return this.#daemon('etcd', [
      join(unpackedPackages(['etcd-server']), 'usr/bin/etcd'),
      '--name=etcd',
      `--data-dir=${join(this.#options.folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=etcd=${peer}`,
      // Such an old etcd tells nobody on demand how far a watch has come, and a watch without a revision waits to know.
      '--experimental-watch-progress-notify-interval=1s',
    ]);
  }

  #startServer(): Daemon {
    const { address = '127.0.0.1', isDualStack = false, mutates = false } = this.#options;
    const isLoopback = address.startsWith('127.');
    return this.#daemon('kube-apiserver', [
      kubernetesPrograms(),
      'kube-apiserver',
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      // An endpoint on loopback would be refused as such.
      ...(isLoopback ? ['--endpoint-reconciler-type=none'] : []),
      `--secure-port=${this.#ports.api}`,
      `--service-cluster-ip-range=${[serviceRange, ...(isDualStack ? [serviceRange6] : [])].join()}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      ...(mutates
        ? [
            '--feature-gates=MutatingAdmissionPolicy=true',
            '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
          ]
        : []),
      `--client-ca-file=${this.authority.certificate}`,
      `--tls-cert-file=${this.#serving.certificate}`,
      `--tls-private-key-file=${this.#serving.key}`,
      // There is nobody who could resolve nodes' names.
      '--kubelet-preferred-address-types=InternalIP',
      `--kubelet-certificate-authority=${this.authority.certificate}`,
      `--kubelet-client-certificate=${this.#kubeletClient.certificate}`,
      `--kubelet-client-key=${this.#kubeletClient.key}`,
      `--audit-policy-file=${join(this.#options.folder, 'audit-policy.json')}`,
      `--audit-log-path=${this.auditLog}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.signingKey}`,
      `--service-account-signing-key-file=${this.signingKey}`,
    ]);
  }

  #daemon(name: string, command: readonly [string, ...string[]]): Daemon {
    const { folder, environment, spawnThere } = this.#options;
    return new Daemon({
      name,
      command,
      logPath: join(folder, `${name}.log`),
      ...(environment && { environment }),
      ...(spawnThere && { spawnThere }),
    });
  }
}

/** Three that nobody listened on a moment ago, on loopback. */
async function freePorts(): Promise<[number, number, number]> {
  const servers = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports as [number, number, number];
}
