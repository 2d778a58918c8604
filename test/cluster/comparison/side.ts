// One of the two servers of a comparison: asks it and gives what it answered, without what is its alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Line, Request, Step } from './case.ts';
import { normalizeBody, normalizeText } from './normalize.ts';

export interface Side {
  readonly url: string;
  /** For kubectl: its path, home and kubeconfig. */
  readonly environment: Readonly<Record<string, string>>;
  /** What makes a request one of an administrator's. */
  readonly credentials: RequestOptions & {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
  };
}

const lineSeconds = 30;
const requestMs = 20_000;

/** Paths of the files that make one an administrator of a server that asks for certificates. */
export function certificates(files: { ca: string; certificate: string; key: string }): Side['credentials'] {
  return {
    ca: readFileSync(files.ca),
    cert: readFileSync(files.certificate),
    key: readFileSync(files.key),
  };
}

export function ask(side: Side, step: Step): Promise<string> {
  return 'line' in step ? run(side, step) : send(side, step);
}

async function run(side: Side, { line, input }: Line): Promise<string> {
  const child = spawn('timeout', [String(lineSeconds), 'bash', '-c', line], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...side.environment },
  });
  // A command may end without having read.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return `${normalizeText(stdout)}${normalizeText(stderr)}exit code ${child.exitCode}`;
}

async function send(side: Side, { method, path, headers, body }: Request): Promise<string> {
  const url = new URL(path, side.url);
  const { headers: own, ...credentials } = side.credentials;
  const options = {
    ...credentials,
    method,
    path,
    timeout: requestMs,
    headers: { ...own, ...headers, ...(body && { 'Content-Length': Buffer.byteLength(body) }) },
  };
  const request = url.protocol === 'https:' ? requestSecure(url, options) : requestPlain(url, options);
  request.on('timeout', () =>
    request.destroy(new Error(`no answer to ${method} ${path} in ${requestMs} ms`)),
  );
  // What goes wrong once the answer has begun, reading it tells.
  request.on('error', () => {});
  request.end(body);
  const [response] = await once(request, 'response');
  const { 'content-type': type, warning } = response.headers;
  const lines = [`${response.statusCode} ${type}`, ...(warning ? [`warning ${warning}`] : [])];
  return [...lines, normalizeBody(await text(response))].join('\n');
}
