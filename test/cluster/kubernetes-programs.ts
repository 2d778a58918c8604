// The programs of Kubernetes at one released version, built from their own sources through Go's module path: once per
// version, kept in the cache. Also kubectl of that version.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, digestOf } from '../../setup/cache.ts';

const source = join(import.meta.dirname, 'kubernetes');

export type KubernetesProgram =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-proxy'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kubectl';

/** As in go.mod: "v1.34.1". */
export function kubernetesVersion(): string {
  const version = /k8s\.io\/kubernetes (v[0-9.]+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1];
  if (!version) throw new Error('test/cluster/kubernetes/go.mod names no version of k8s.io/kubernetes');
  return version;
}

/**
 * Path of one file that is all of the programs: its first argument says which, `kube-apiserver` for instance.
 * @throws Error that says what to install when there is no Go that could build it
 */
export function kubernetesPrograms(): string {
  const version = kubernetesVersion();
  const sources = ['go.mod', 'go.sum', 'main.go'].map((file) => join(source, file));
  return cached(`kubernetes/${version}-${digestOf(sources, process.arch)}`, (unfinished) =>
    build(version, unfinished),
  );
}

function build(version: string, path: string): void {
  if (spawnSync('go', ['version']).status !== 0) {
    throw new Error(`Cannot build Kubernetes ${version}: there is no "go"; install Go 1.26 or newer`);
  }
  process.stderr.write(
    `calico-ts: building Kubernetes ${version}, once; this takes about ten minutes on two cores\n`,
  );
  const started = Date.now();
  const [major, minor] = version.slice(1).split('.');
  const facts = [
    `-X k8s.io/client-go/pkg/version.gitVersion=${version}`,
    `-X k8s.io/component-base/version.gitVersion=${version}`,
    `-X k8s.io/component-base/version.gitMajor=${major}`,
    `-X k8s.io/component-base/version.gitMinor=${minor}`,
  ];
  const { status, error } = spawnSync(
    'go',
    ['build', '-trimpath', '-ldflags', `-s -w ${facts.join(' ')}`, '-o', path, '.'],
    { cwd: source, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CGO_ENABLED: '0' } },
  );
  if (status !== 0)
    throw new Error(`Cannot build Kubernetes ${version}: "go build" failed`, { cause: error });
  process.stderr.write(`calico-ts: built in ${Math.round((Date.now() - started) / 1000)} s\n`);
}
