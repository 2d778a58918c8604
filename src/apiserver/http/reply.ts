// What a handler answers, and how it is put on the wire.
import type { ServerResponse } from 'node:http';
import { stringify as stringifyYaml } from 'yaml';
import type { Json } from '../json.ts';

export interface Reply {
  readonly code: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

export function json(code: number, body: Json, contentType = 'application/json'): Reply {
  return { code, contentType, body: `${JSON.stringify(body)}\n` };
}

/** What the real server's front says of a path that leads to nobody behind it. */
export const noSuchPage: Reply = {
  code: 404,
  contentType: 'text/plain; charset=utf-8',
  body: '404 page not found\n',
};

/** The same in YAML, in the form in which Kubernetes writes it. */
export function inYaml(reply: Reply): Reply {
  if (reply.contentType !== 'application/json') return reply;
  const body = stringifyYaml(JSON.parse(String(reply.body)), { sortMapEntries: true, indentSeq: false });
  return { ...reply, contentType: 'application/yaml', body };
}

export function send(response: ServerResponse, reply: Reply, warnings: readonly string[] = []): void {
  for (const warning of warnings) {
    // RFC 9110 quoting; 299 is the code for warnings that are not about caching.
    response.appendHeader('Warning', `299 - ${JSON.stringify(warning.replaceAll(/[^\x20-\x7e]/g, ' '))}`);
  }
  response.writeHead(reply.code, {
    'Content-Type': reply.contentType,
    'Content-Length': Buffer.byteLength(reply.body),
    'Cache-Control': 'no-cache, private',
  });
  response.end(reply.body);
}
