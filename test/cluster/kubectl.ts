// kubectl of the cluster's version, run where it reaches the API server.
import { kubernetesPrograms } from './kubernetes-programs.ts';
import { runCommand } from './run-command.ts';

export interface KubectlOptions {
  readonly kubeconfig: string;
  /** Starts the process in a network namespace that leads to the API server. */
  readonly spawnThere?: <T>(start: () => T) => T;
}

/** Resolves with what it printed. @throws CommandError */
export function kubectl(
  { kubeconfig, spawnThere }: KubectlOptions,
  args: readonly string[],
  input?: string,
): Promise<string> {
  return runCommand([kubernetesPrograms(), 'kubectl', `--kubeconfig=${kubeconfig}`, ...args], {
    ...(input !== undefined && { input }),
    ...(spawnThere && { spawnThere }),
  });
}
