// The way of a request: who asks, for what path, and the answer or the Status that refuses it.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Registry } from '../kinds/registry.ts';
import { encodeOpenApiV2, openApiV2Protobuf } from '../openapi/protobuf.ts';
import { openApiV2 } from '../openapi/v2.ts';
import { openApiDocument, openApiIndex } from '../openapi/v3.ts';
import { badRequest, methodNotAllowed, noSuchPath, StatusError } from '../status-error.ts';
import { authenticator } from './authenticate.ts';
import { discover } from './discovery.ts';
import { healthOf } from './health.ts';
import { inYaml, json, noSuchPage, type Reply, send } from './reply.ts';
import { wantsYaml } from './representation.ts';
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
        if (reply) send(response, inForm(request, reply), warnings);
      })
      .catch((error: unknown) => {
        refuse(request, response, error, warnings);
      });
  };
}

function inForm(request: IncomingMessage, reply: Reply): Reply {
  return wantsYaml(request.headers.accept) ? inYaml(reply) : reply;
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
  // Not by URL, which would take "%2e%2e" for the way up.
  const [pathname = '/', search = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const searchParams = new URLSearchParams(search);
  const path = segmentsOf(pathname);
  const fixed =
    request.method === 'GET' ? fixedPath(registry, pathname, path, request.headers.accept ?? '') : undefined;
  if (fixed) return fixed;
  const watched = watchedPath(path, request.method);
  if (watched) searchParams.set('watch', 'true');
  const resource = parseResourcePath(registry, watched ?? path);
  if (!resource || (watched && resource.subresource)) {
    if (!isServedGroup(registry, path)) return noSuchPage;
    throw path.length === 1 ? methodNotAllowed() : noSuchPath();
  }
  const warn = (message: string) => {
    warnings.push(message);
  };
  const isOfMany = watched !== undefined || resource.name === undefined;
  return handleResource(services, { request, response, path: resource, isOfMany, query: searchParams, warn });
}

/** Whether what is not found would be one of a built-in group's; of all else the real server's front says it is not there. */
function isServedGroup(registry: Registry, [root, ...rest]: readonly string[]): boolean {
  const [group, version] = rest;
  if (root !== 'api' && root !== 'apis') return false;
  if (root === 'api') return true;
  return registry.types.some((type) => type.isBuiltIn && type.group === group && type.version === version);
}

/** "/api/v1/watch/pods" is how a watch was asked for once, and still can be; undefined where it is not. @throws StatusError 405 */
function watchedPath(path: readonly string[], method: string | undefined): readonly string[] | undefined {
  const at = path[0] === 'api' ? 2 : 3;
  if (path[at] !== 'watch' || path.length === at + 1) return undefined;
  if (method !== 'GET') throw methodNotAllowed();
  return path.toSpliced(at, 1);
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
  return healthOf(pathname) ?? discover(registry, path, accept);
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
  send(response, inForm(request, json(status.code, status.toStatus())), warnings);
}

function internalError(error: unknown): StatusError {
  const why = error instanceof Error ? error.message : String(error);
  return new StatusError(500, 'InternalError', `Internal error occurred: ${why}`);
}
