// The way of a request: who asks, for what path, and the answer or the Status that refuses it.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Registry } from '../kinds/registry.ts';
import { encodeOpenApiV2, openApiV2Protobuf } from '../openapi/protobuf.ts';
import { openApiV2 } from '../openapi/v2.ts';
import { openApiDocument, openApiIndex } from '../openapi/v3.ts';
import { badRequest, noSuchPath, StatusError } from '../status-error.ts';
import { authenticator } from './authenticate.ts';
import { discover } from './discovery.ts';
import { json, type Reply, send } from './reply.ts';
import { handleResource, type Services } from './resource.ts';
import { parseResourcePath } from './resource-path.ts';

const version = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

export function requestHandler(
  registry: Registry,
  services: Services,
  token: string | undefined,
): RequestListener {
  const authenticate = authenticator(token);
  return (request, response) => {
    const warnings: string[] = [];
    answer(registry, services, authenticate, request, response, warnings)
      .then((reply) => {
        if (reply) send(response, reply, warnings);
      })
      .catch((error: unknown) => {
        refuse(request, response, error, warnings);
      });
  };
}

/** Undefined when the answer is a watch that goes on. */
async function answer(
  registry: Registry,
  services: Services,
  authenticate: (authorization: string | undefined) => void,
  request: IncomingMessage,
  response: ServerResponse,
  warnings: string[],
): Promise<Reply | undefined> {
  authenticate(request.headers.authorization);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
  const path = segmentsOf(pathname);
  const fixed =
    request.method === 'GET' ? fixedPath(registry, pathname, path, request.headers.accept ?? '') : undefined;
  if (fixed) return fixed;
  const resource = parseResourcePath(registry, path);
  if (!resource) throw noSuchPath();
  const warn = (message: string) => {
    warnings.push(message);
  };
  return handleResource(services, { request, response, path: resource, query: searchParams, warn });
}

function segmentsOf(pathname: string): string[] {
  try {
    return pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch (error) {
    throw badRequest(
      `Cannot read the path "${pathname}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function fixedPath(
  registry: Registry,
  pathname: string,
  path: readonly string[],
  accept: string,
): Reply | undefined {
  switch (pathname) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { code: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' };
    case '/version':
      return json(200, version);
    case '/openapi/v2': {
      const document = openApiV2(registry.types);
      if (!accept.includes(openApiV2Protobuf)) return json(200, document);
      // The type that was asked for is no valid media type ("@"), and Go's parser refuses it in an answer.
      return { code: 200, contentType: 'application/octet-stream', body: encodeOpenApiV2(document) };
    }
    case '/openapi/v3':
      return json(200, openApiIndex(registry.types, registry.generation));
  }
  if (path[0] === 'openapi' && path[1] === 'v3') {
    const document = openApiDocument(registry.types, path.slice(2).join('/'));
    return document && json(200, document);
  }
  return discover(registry, path, accept);
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  warnings: readonly string[],
): void {
  // Nobody is left to be told, or the answer has begun and cannot be taken back.
  if (response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof StatusError ? error : internalError(error);
  // A body that was not read to its end would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  send(response, json(status.code, status.toStatus()), warnings);
}

function internalError(error: unknown): StatusError {
  const why = error instanceof Error ? error.message : String(error);
  return new StatusError(500, 'InternalError', `Internal error occurred: ${why}`);
}
