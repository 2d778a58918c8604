// Kubernetes' protobuf bodies, for the few kinds that kubectl sends that way and no other, from 1.32 on: those of its `create`
// generators (`kubectl create namespace|service|configmap|secret|serviceaccount`) and of `kubectl auth`. Answers stay JSON, which it accepts.
// Field numbers are those of generated.proto in k8s.io/api and k8s.io/apimachinery.
import { fieldOf, type Json, type JsonObject, setField } from '../json.ts';
import { badRequest, unsupportedMediaType } from '../status-error.ts';

export const kubernetesProtobuf = 'application/vnd.kubernetes.protobuf';

interface Field {
  readonly name: string;
  readonly type: 'string' | 'bytes' | 'integer' | 'boolean' | 'intOrString' | Message;
  readonly shape?: 'list' | 'map';
}
type Message = { readonly [number: number]: Field };

const text = (name: string): Field => ({ name, type: 'string' });
const texts = (name: string): Field => ({ name, type: 'string', shape: 'list' });
const textMap = (name: string): Field => ({ name, type: 'string', shape: 'map' });

const metadata: Field = {
  name: 'metadata',
  type: {
    1: text('name'),
    2: text('generateName'),
    3: text('namespace'),
    11: textMap('labels'),
    12: textMap('annotations'),
    14: texts('finalizers'),
  },
};

const servicePort: Message = {
  1: text('name'),
  2: text('protocol'),
  3: { name: 'port', type: 'integer' },
  4: { name: 'targetPort', type: 'intOrString' },
  5: { name: 'nodePort', type: 'integer' },
  6: text('appProtocol'),
};

const serviceSpec: Message = {
  1: { name: 'ports', type: servicePort, shape: 'list' },
  2: textMap('selector'),
  3: text('clusterIP'),
  4: text('type'),
  5: texts('externalIPs'),
  7: text('sessionAffinity'),
  8: text('loadBalancerIP'),
  9: texts('loadBalancerSourceRanges'),
  10: text('externalName'),
  11: text('externalTrafficPolicy'),
  17: text('ipFamilyPolicy'),
  18: texts('clusterIPs'),
  19: texts('ipFamilies'),
  22: text('internalTrafficPolicy'),
};

const accessReviewSpec: Message = {
  1: {
    name: 'resourceAttributes',
    type: {
      1: text('namespace'),
      2: text('verb'),
      3: text('group'),
      4: text('version'),
      5: text('resource'),
      6: text('subresource'),
      7: text('name'),
    },
  },
  2: { name: 'nonResourceAttributes', type: { 1: text('path'), 2: text('verb') } },
};

/** By apiVersion and kind. */
const kinds: { readonly [kind: string]: Message } = {
  'v1 Namespace': { 1: metadata },
  'v1 ServiceAccount': { 1: metadata },
  'v1 ConfigMap': {
    1: metadata,
    2: textMap('data'),
    3: { name: 'binaryData', type: 'bytes', shape: 'map' },
    4: { name: 'immutable', type: 'boolean' },
  },
  'v1 Secret': {
    1: metadata,
    2: { name: 'data', type: 'bytes', shape: 'map' },
    3: text('type'),
    4: textMap('stringData'),
    5: { name: 'immutable', type: 'boolean' },
  },
  'v1 Service': { 1: metadata, 2: { name: 'spec', type: serviceSpec } },
  'authentication.k8s.io/v1 SelfSubjectReview': { 1: metadata },
  'authorization.k8s.io/v1 SelfSubjectAccessReview': {
    1: metadata,
    2: { name: 'spec', type: accessReviewSpec },
  },
  'authorization.k8s.io/v1 SelfSubjectRulesReview': {
    1: metadata,
    2: { name: 'spec', type: { 1: text('namespace') } },
  },
};

/** The bytes before every such body. */
const magic = Buffer.from('k8s\0');
const typeMeta: Message = { 1: text('apiVersion'), 2: text('kind') };
const envelope: Message = { 1: { name: 'type', type: typeMeta }, 2: { name: 'raw', type: 'bytes' } };

/** The object in a body. @throws StatusError 400 when it is malformed, 415 for a kind that is taken as JSON alone */
export function decodeKubernetesProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, magic.length).equals(magic))
    throw badRequest('The request body lacks the prefix "k8s\\0"');
  const { type, raw } = decodeMessage(envelope, body.subarray(magic.length));
  const { apiVersion, kind } = type as JsonObject;
  const message = fieldOf(kinds, `${apiVersion} ${kind}`);
  if (!message) throw unsupportedMediaType(['application/json', 'application/yaml']);
  return {
    apiVersion: apiVersion ?? '',
    kind: kind ?? '',
    ...decodeMessage(message, Buffer.from(String(raw), 'base64')),
  };
}

function decodeMessage(message: Message, bytes: Buffer): JsonObject {
  const object: JsonObject = {};
  for (const { number, value } of wireFields(bytes)) {
    const field = message[number];
    if (!field) continue;
    if (field.shape === 'map') {
      const entry = decodeMessage({ 1: text('key'), 2: { name: 'value', type: field.type } }, asBytes(value));
      const map = (object[field.name] ?? {}) as JsonObject;
      setField(map, String(entry.key ?? ''), entry.value ?? '');
      object[field.name] = map;
      continue;
    }
    const decoded = decodeValue(field.type, value);
    if (field.shape === 'list') object[field.name] = [...((object[field.name] as Json[]) ?? []), decoded];
    // The encoder writes zero values of absent fields.
    else if (decoded !== '' && decoded !== 0) object[field.name] = decoded;
  }
  return object;
}

function decodeValue(type: Field['type'], value: number | Buffer): Json {
  if (typeof type === 'object') return decodeMessage(type, asBytes(value));
  switch (type) {
    case 'string':
      return asBytes(value).toString('utf8');
    case 'bytes':
      return asBytes(value).toString('base64');
    case 'integer':
      return Number(value);
    case 'boolean':
      return value === 1;
    case 'intOrString': {
      const fields: Message = {
        1: { name: 'type', type: 'integer' },
        2: { name: 'int', type: 'integer' },
        3: text('string'),
      };
      const { type: isString, int, string } = decodeMessage(fields, asBytes(value));
      return isString === 1 ? (string ?? '') : (int ?? 0);
    }
  }
}

function asBytes(value: number | Buffer): Buffer {
  if (typeof value === 'number')
    throw badRequest('The request body is malformed protobuf: a number where bytes belong');
  return value;
}

/** Varints and length-delimited fields, the only wire types of these messages. */
function* wireFields(bytes: Buffer): Generator<{ number: number; value: number | Buffer }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined)
        throw badRequest('The request body is malformed protobuf: it ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType !== 0 && wireType !== 2)
      throw badRequest(`The request body has a field of wire type ${wireType}`);
    const size = varint();
    if (wireType === 0) yield { number: tag >>> 3, value: size };
    else {
      if (at + size > bytes.length)
        throw badRequest('The request body is malformed protobuf: it ends within a field');
      yield { number: tag >>> 3, value: bytes.subarray(at, at + size) };
      at += size;
    }
  }
}
