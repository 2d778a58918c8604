// Reads request bodies of bounded size: JSON or YAML, and protobuf for the kinds of protobuf-body.ts.
import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import type { Json } from '../json.ts';
import { badRequest, StatusError, unsupportedMediaType } from '../status-error.ts';
import { decodeKubernetesProtobuf, kubernetesProtobuf } from './protobuf-body.ts';

/** As the real server limits it. */
const maxBytes = 3 * 1024 * 1024;

/** The media type of the body in lower case, without parameters; empty when none is named. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The parsed body; undefined when it is empty. @throws StatusError 400, 413 */
export async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`);
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length > 0 && mediaTypeOf(request) === kubernetesProtobuf) return decodeKubernetesProtobuf(bytes);
  const text = bytes.toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return mediaTypeOf(request).endsWith('yaml') ? (parseYaml(text) as Json) : (JSON.parse(text) as Json);
  } catch (error) {
    throw badRequest(
      `Cannot read the request body: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws StatusError 415 unless the body is of a form that `readBody` reads, or says nothing of itself */
export function assertObjectMediaType(request: IncomingMessage): void {
  const accepted = ['application/json', 'application/yaml', kubernetesProtobuf];
  const mediaType = mediaTypeOf(request);
  const isAccepted = ['', '*/*', ...accepted].includes(mediaType);
  if (!isAccepted) throw unsupportedMediaType(accepted);
}
