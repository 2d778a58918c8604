// cnitool, the reference client of the CNI specification, as another party that drives our plugin: built once with Go into the
// cache. `npm test` leaves these tests out, and says so, where there is no Go; in CI they run, and fail without it.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const version = 'v1.3.0';
const folder = join(import.meta.dirname, '..', '..', '.cache', 'cnitool', version);

/** Path of the executable. @throws Error that says what to install */
export function cnitoolPath(): string {
  const path = join(folder, 'cnitool');
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('go', ['install', `github.com/containernetworking/cni/cnitool@${version}`], {
      env: { ...process.env, GOBIN: folder, GOFLAGS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (cause) {
    throw new Error(
      `Cannot build cnitool ${version}, the CNI reference client: install Go ("apt-get install golang-go") and let it reach its module proxy`,
      { cause },
    );
  }
  return path;
}

export interface CnitoolCall {
  /** add, check, del, gc or status. */
  readonly command: string;
  readonly network: string;
  readonly namespacePath: string;
  /** Folder of network configurations. */
  readonly configurations: string;
  /** Folders of plugins. */
  readonly plugins: readonly string[];
  /** "A=1;B=2". */
  readonly args?: string;
  /** What the runtime tells plugins of its own accord: port mappings, bandwidth. */
  readonly capabilities?: object;
  /** Starts a process where the container runtime would be: on the node. */
  readonly spawnOnNode: <T>(start: () => T) => T;
}

export async function cnitool(
  call: CnitoolCall,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { command, network, namespacePath, configurations, plugins, spawnOnNode, args } = call;
  const program = cnitoolPath();
  const child = spawnOnNode(() =>
    spawn(program, [command, network, namespacePath], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NETCONFPATH: configurations,
        CNI_PATH: plugins.join(':'),
        CNI_IFNAME: 'eth0',
        ...(args && { CNI_ARGS: args }),
        ...(call.capabilities && { CAP_ARGS: JSON.stringify(call.capabilities) }),
      },
    }),
  );
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
