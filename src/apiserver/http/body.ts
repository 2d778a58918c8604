// Reads request bodies of bounded size: JSON or YAML, and protobuf for the kinds of protobuf-body.ts.
import type { IncomingMessage } from 'node:http';
import type { Json } from '../json.ts';
import { jsonFault, repeatedFields } from '../json-text.ts';
import { badRequest, StatusError, unsupportedMediaType } from '../status-error.ts';
import { decodeKubernetesProtobuf, kubernetesProtobuf } from './protobuf-body.ts';
import { readYaml } from './yaml-text.ts';

/** As the real server limits it. */
const maxBytes = 3 * 1024 * 1024;

export interface Body {
  /** As it came; empty when it is not text. */
  readonly text: string;
  /** Undefined when there is none. */
  readonly value: Json | undefined;
  /** Why there is none, in the words of the real server's decoder. */
  readonly fault?: string;
  /** What is said of fields that are there twice, of which the last counts: 'duplicate field "spec.order"'. */
  readonly repeated: () => string[];
}

/** The media type of the body in lower case, without parameters; empty when none is named. */
export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** @throws StatusError 413, and 400 for YAML and protobuf that is none */
export async function readBody(request: IncomingMessage): Promise<Body> {
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
  const mediaType = mediaTypeOf(request);
  if (bytes.length > 0 && mediaType === kubernetesProtobuf) {
    return { text: '', value: decodeKubernetesProtobuf(bytes), repeated: () => [] };
  }
  const text = bytes.toString('utf8');
  if (mediaType.endsWith('yaml') && text.trim() !== '') return yamlBody(text);
  try {
    const value = JSON.parse(text) as Json;
    const repeated = () => repeatedFields(text, value).map((path) => `duplicate field "${path}"`);
    return { text, value, repeated };
  } catch {
    const fault = jsonFault(bytes) ?? 'it is not valid JSON';
    return { text, value: undefined, fault, repeated: () => [] };
  }
}

function yamlBody(text: string): Body {
  try {
    return { text, ...readYaml(text) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${why}`);
  }
}

/** @throws StatusError 415 unless the body is of a form that `readBody` reads, or says nothing of itself */
export function assertObjectMediaType(request: IncomingMessage): void {
  const accepted = ['application/json', 'application/yaml', kubernetesProtobuf];
  const mediaType = mediaTypeOf(request);
  const isAccepted = ['', '*/*', ...accepted].includes(mediaType);
  if (!isAccepted) throw unsupportedMediaType(accepted);
}
