// Reads request bodies: JSON or YAML, of bounded size.
import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import type { Json } from '../json.ts';
import { badRequest, StatusError, unsupportedMediaType } from '../status-error.ts';

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
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return mediaTypeOf(request).endsWith('yaml') ? (parseYaml(text) as Json) : (JSON.parse(text) as Json);
  } catch (error) {
    throw badRequest(
      `Cannot read the request body: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws StatusError 415 unless the body is JSON or YAML (or says nothing of itself) */
export function assertObjectMediaType(request: IncomingMessage): void {
  const accepted = ['application/json', 'application/yaml'];
  const mediaType = mediaTypeOf(request);
  if (mediaType !== '' && mediaType !== '*/*' && !accepted.includes(mediaType))
    throw unsupportedMediaType(accepted);
}
