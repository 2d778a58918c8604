// What a client may, and who it is: kinds that are asked and not kept. Who holds the token may everything.
import { isObject, type JsonObject, type KubeObject } from '../json.ts';
import { timestamp } from '../objects/timestamp.ts';
import { trackCreation } from '../patch/managed-fields.ts';
import { openObject, strictObject, string } from '../schema/schema.ts';
import { invalidShown, invalidValue } from '../schema/validate.ts';
import type { FieldFault } from '../status-error.ts';
import { builtIn } from './resource-type.ts';

const review = { version: 'v1', namespaced: false, verbs: ['create'] };
const authorization = { ...review, group: 'authorization.k8s.io' };

/** `kubectl auth can-i` */
export const selfSubjectAccessReviewType = builtIn({
  ...authorization,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  schema: strictObject({
    spec: strictObject({
      resourceAttributes: openObject({ verb: string, group: string, resource: string, namespace: string }),
      nonResourceAttributes: strictObject({ verb: string, path: string }),
    }),
  }),
  objectRules: ({ spec }) => attributeFaults(isObject(spec) ? spec : {}),
  answer(object, { fieldManager }) {
    if (fieldManager !== undefined) trackCreation(selfSubjectAccessReviewType, object, fieldManager);
    return answered(object, { allowed: true });
  },
});

/** `kubectl auth can-i --list` */
export const selfSubjectRulesReviewType = builtIn({
  ...authorization,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  schema: strictObject({ spec: strictObject({ namespace: string }) }),
  answer: (object) =>
    answered(
      { ...object, spec: {} },
      {
        incomplete: false,
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      },
    ),
});

/** `kubectl auth whoami` */
export const selfSubjectReviewType = builtIn({
  ...review,
  group: 'authentication.k8s.io',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  schema: strictObject({}),
  answer(object) {
    const userInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
    const { metadata, ...rest } = answered(object, { userInfo });
    return { ...rest, metadata: { ...(isObject(metadata) && metadata), creationTimestamp: timestamp() } };
  },
});

/** One that is not kept needs no name. */
function answered({ metadata, ...rest }: KubeObject, status: JsonObject): JsonObject {
  const { name, ...unnamed } = metadata;
  return { ...rest, metadata: name === '' ? unnamed : metadata, status };
}

function attributeFaults({ resourceAttributes, nonResourceAttributes }: JsonObject): FieldFault[] {
  if (resourceAttributes && nonResourceAttributes) {
    const { path = '', verb = '' } = isObject(nonResourceAttributes) ? nonResourceAttributes : {};
    const shown = JSON.stringify({ Path: path, Verb: verb });
    const why = 'cannot be specified in combination with resourceAttributes';
    return [invalidShown('spec.nonResourceAttributes', shown, why)];
  }
  if (resourceAttributes || nonResourceAttributes) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalidValue('spec.resourceAttributes', null, why)];
}
