// The CNI plugin as the container runtime starts it, once per pod event: passes its environment and stdin to calico-node
// over a unix socket and prints the answer. Compiled to one file; it starts in milliseconds because it does nothing else.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cniErrorCodes } from '../errors.ts';
import { impliedVersion, supportedVersions } from '../versions.ts';
import { defaultSocketPath, type ShimRequest, type ShimResponse } from '../wire.ts';

function finish({ exitCode, stdout }: ShimResponse): void {
  process.exitCode = exitCode;
  process.stdout.write(stdout);
}

function fail(cniVersion: string, code: number, msg: string): void {
  finish({ exitCode: 1, stdout: `${JSON.stringify({ cniVersion, code, msg })}\n` });
}

function main(): void {
  const stdin = readFileSync(0, 'utf8');
  let configuration: { cniVersion?: unknown; agent_socket?: unknown };
  try {
    configuration = JSON.parse(stdin || '{}') ?? {};
  } catch (error) {
    fail(
      impliedVersion,
      cniErrorCodes.decodingFailure,
      `Cannot read the network configuration on stdin: ${error}`,
    );
    return;
  }
  const cniVersion = typeof configuration.cniVersion === 'string' ? configuration.cniVersion : impliedVersion;
  // Which versions there are is known without the agent, and a runtime asks before there is one.
  if (process.env.CNI_COMMAND === 'VERSION') {
    finish({ exitCode: 0, stdout: `${JSON.stringify({ cniVersion, supportedVersions })}\n` });
    return;
  }
  const path =
    typeof configuration.agent_socket === 'string' ? configuration.agent_socket : defaultSocketPath;
  ask(path, cniVersion, stdin);
}

function ask(path: string, cniVersion: string, stdin: string): void {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('CNI_') && value !== undefined) environment[name] = value;
  }
  const request: ShimRequest = { environment, stdin };
  const socket = connect(path);
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
  socket.on('error', (error) =>
    fail(
      cniVersion,
      cniErrorCodes.tryAgainLater,
      `calico-node does not answer on "${path}": ${error.message}`,
    ),
  );
  socket.on('end', () => {
    const text = Buffer.concat(pieces).toString('utf8');
    try {
      finish(JSON.parse(text) as ShimResponse);
    } catch {
      // The agent ended in the middle of its work; what it had done it mends when the runtime asks again.
      fail(cniVersion, cniErrorCodes.tryAgainLater, `calico-node ended before it answered on "${path}"`);
    }
  });
}

main();
