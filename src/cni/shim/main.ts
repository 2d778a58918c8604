// The CNI plugin as the container runtime starts it, once per pod event, under the names "calico" and "calico-ipam": passes
// its name, environment and stdin to calico-node over a unix socket and prints the answer. Compiled to one file; it starts
// in milliseconds because it does little else. Without an agent it answers what is known without one, and keeps a DEL.
import { readFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { CniError, cniErrorCodes, invalid } from '../errors.ts';
import { isObject, type JsonObject } from '../json-fields.ts';
import { keepDeletion } from '../pending-deletions.ts';
import { readRequest } from '../request.ts';
import { impliedVersion, supportedVersions } from '../versions.ts';
import {
  defaultDeletionsPath,
  defaultSocketPath,
  readShimResponse,
  type ShimRequest,
  type ShimResponse,
} from '../wire.ts';
import { askAgent } from './ask-agent.ts';

function finish({ exitCode, stdout }: ShimResponse): void {
  process.exitCode = exitCode;
  let unsaid: Uint8Array = Buffer.from(stdout);
  try {
    while (unsaid.length > 0) unsaid = unsaid.subarray(writeSync(1, unsaid));
  } catch (error) {
    // A pipe that is full, and that its reader has set not to block: a stream waits for it, but takes milliseconds to be there.
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    process.stdout.write(unsaid);
  }
}

function fail(cniVersion: string, code: number, msg: string): void {
  finish({ exitCode: 1, stdout: `${JSON.stringify({ cniVersion, code, msg })}\n` });
}

async function main(): Promise<void> {
  let cniVersion: string = impliedVersion;
  try {
    const stdin = readStdin();
    const configuration = parse(stdin);
    if (typeof configuration.cniVersion === 'string') cniVersion = configuration.cniVersion;
    // Which versions there are is known without the agent, and a runtime asks before there is one.
    if (process.env.CNI_COMMAND === 'VERSION') {
      finish({ exitCode: 0, stdout: `${JSON.stringify({ cniVersion, supportedVersions })}\n` });
      return;
    }
    await ask(configuration, cniVersion, stdin);
  } catch (error) {
    const code = error instanceof CniError ? error.code : cniErrorCodes.failed;
    fail(cniVersion, code, error instanceof Error ? error.message : String(error));
  }
}

function readStdin(): string {
  try {
    return readFileSync(0, 'utf8');
  } catch (cause) {
    throw new CniError(cniErrorCodes.ioFailure, `Cannot read stdin: ${cause}`, { cause });
  }
}

function parse(stdin: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(stdin || '{}');
  } catch (cause) {
    const message = `Cannot read the network configuration on stdin: ${cause}`;
    throw new CniError(cniErrorCodes.decodingFailure, message, { cause });
  }
  // The agent says what is wrong with anything else.
  return isObject(json) ? json : {};
}

async function ask(configuration: JsonObject, cniVersion: string, stdin: string): Promise<void> {
  const path = readPath(configuration, 'agent_socket', defaultSocketPath);
  const deletions = readPath(configuration, 'deletions_dir', defaultDeletionsPath);
  const request: ShimRequest = { program: basename(process.argv0), environment: cniVariables(), stdin };
  const withoutAgent = (why: string) => answerAlone(request, deletions, cniVersion, why);
  let answer: string;
  try {
    answer = await askAgent(path, `${JSON.stringify(request)}\n`);
  } catch (error) {
    withoutAgent(`calico-node does not answer on "${path}": ${sentenceOf(error)}`);
    return;
  }
  const response = readShimResponse(answer);
  if (response) finish(response);
  // The agent ended in the middle of its work; what it had done it mends when it is asked again.
  else withoutAgent(`calico-node ended before it answered on "${path}", or something else answers there`);
}

/** Bun says of each that it failed to connect, and why in a code. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.message} (${error.code})` : error.message;
}

/** A path that is not absolute would depend on where the runtime runs; and a number would be a port. */
function readPath(configuration: JsonObject, key: string, otherwise: string): string {
  const path = configuration[key] === undefined ? otherwise : configuration[key];
  if (typeof path === 'string' && path.startsWith('/')) return path;
  throw invalid(`"${key}" is ${JSON.stringify(path)}, which is not an absolute path`);
}

/** A DEL must not fail for want of an agent: what it asks for is done when there is one again. */
function answerAlone(request: ShimRequest, deletions: string, cniVersion: string, why: string): void {
  try {
    const { command } = readRequest(request);
    if (command === 'DEL') {
      keepDeletion(deletions, request);
      return;
    }
    fail(cniVersion, command === 'STATUS' ? cniErrorCodes.notAvailable : cniErrorCodes.tryAgainLater, why);
  } catch (error) {
    const isRefusal = error instanceof CniError;
    const code = isRefusal ? error.code : cniErrorCodes.ioFailure;
    fail(cniVersion, code, isRefusal ? error.message : `${why}; nor can the DEL be kept: ${error}`);
  }
}

function cniVariables(): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith('CNI_') && value !== undefined) variables[name] = value;
  }
  return variables;
}

await main();
