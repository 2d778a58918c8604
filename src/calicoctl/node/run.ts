// `calicoctl node run`: starts calico-node in a container on a machine that no orchestrator looks after.
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { CommandError } from '../problem.ts';

export interface RunOptions {
  readonly ip?: string;
  readonly ip6?: string;
  readonly as?: string;
  readonly name?: string;
  readonly ipAutodetectionMethod?: string;
  readonly ip6AutodetectionMethod?: string;
  readonly logDir: string;
  readonly nodeImage: string;
  readonly backend: 'bird' | 'none';
  readonly dryrun?: boolean;
  readonly initSystem?: boolean;
  /** False when `--no-default-ippools` is given. */
  readonly defaultIppools: boolean;
  readonly felixConfig?: string;
  readonly kubeconfig?: string;
}

/** Prints the command with `--dryrun`; else runs it, in the place of an older container of the same name. */
export function run(options: RunOptions, environment = process.env): number {
  const command = containerCommand(options, environment);
  if (options.dryrun) {
    const remark = options.initSystem ? ' from an init system' : '';
    process.stdout.write(`Use the following command to start the calico-node container${remark}:\n\n`);
    process.stdout.write(`${command.map(shellWord).join(' ')}\n`);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new CommandError('Cannot run calico-node: this needs root');
  const [program = '', ...arguments_] = command;
  spawnSync(program, ['rm', '--force', 'calico-node'], { stdio: 'ignore' });
  process.stdout.write(`Running:\n${command.map(shellWord).join(' ')}\n`);
  const result = spawnSync(program, arguments_, { stdio: 'inherit' });
  if (result.error)
    throw new CommandError(`Cannot run calico-node: ${program} does not start: ${result.error.message}`);
  return result.status === 0 ? 0 : 1;
}

/** The words of the command, the program first. */
function containerCommand(
  options: RunOptions,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const variables: Readonly<Record<string, string | undefined>> = {
    NODENAME: options.name ?? hostname().toLowerCase(),
    CALICO_NETWORKING_BACKEND: options.backend,
    IP: options.ip,
    IP6: options.ip6,
    AS: options.as,
    IP_AUTODETECTION_METHOD: options.ip === undefined ? options.ipAutodetectionMethod : undefined,
    IP6_AUTODETECTION_METHOD: options.ip6 === undefined ? options.ip6AutodetectionMethod : undefined,
    NO_DEFAULT_POOLS: options.defaultIppools ? undefined : 'true',
    DATASTORE_TYPE: environment.DATASTORE_TYPE ?? 'kubernetes',
    KUBECONFIG: environment.KUBECONFIG,
    K8S_API_ENDPOINT: environment.K8S_API_ENDPOINT,
  };
  const mounts = ['/var/run/calico', '/var/lib/calico', '/lib/modules', '/run'].map(
    (path) => `${path}:${path}`,
  );
  mounts.unshift(`${options.logDir}:/var/log/calico`);
  if (options.felixConfig) mounts.push(`${options.felixConfig}:/etc/calico/felix.cfg`);
  if (environment.KUBECONFIG) mounts.push(`${environment.KUBECONFIG}:${environment.KUBECONFIG}:ro`);
  return [
    'docker',
    'run',
    '--net=host',
    '--privileged',
    '--name=calico-node',
    // An init system restarts it by itself, and waits for it in the foreground.
    ...(options.initSystem ? ['--rm'] : ['-d', '--restart=always']),
    ...Object.entries(variables).flatMap(([name, value]) =>
      value === undefined ? [] : ['-e', `${name}=${value}`],
    ),
    ...mounts.flatMap((mount) => ['-v', mount]),
    options.nodeImage,
  ];
}

/** Quoted for a POSIX shell where it has to be. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
