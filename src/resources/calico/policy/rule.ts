// A rule of Calico's policies: what traffic it is about and what becomes of it.
import type { Static } from 'typebox';
import {
  arrayOf,
  integer,
  mapOf,
  object,
  oneOf,
  oneOfNumbers,
  optional,
  ruleFor,
  string,
} from '../../field.ts';
import { rulesOfDestination, rulesOfSource } from './entity-places.ts';
import { entityRule } from './entity-rule.ts';
import { protocol } from './protocol-field.ts';
import { rulesOfRule } from './rule-rules.ts';

function icmp(description: string) {
  return object(
    {
      type: optional(
        integer({ minimum: 0, maximum: 254, description: 'ICMP type, such as 8: echo request.' }),
      ),
      code: optional(integer({ minimum: 0, maximum: 255, description: 'ICMP code; needs a type.' })),
    },
    {
      description,
      'x-kubernetes-validations': [
        ruleFor<{ type?: number; code?: number }>(
          '!has(self.code) || has(self.type)',
          'cannot have a code without a type',
          ({ type, code }) => code === undefined || type !== undefined,
        ),
      ],
    },
  );
}

const path = object(
  {
    exact: optional(string({ maxLength: 1024, description: 'The whole path.' })),
    prefix: optional(string({ maxLength: 1024, description: 'How the path begins.' })),
  },
  {
    'x-kubernetes-validations': [
      ruleFor<{ exact?: string; prefix?: string }>(
        'has(self.exact) != has(self.prefix)',
        'must have either exact or prefix',
        ({ exact, prefix }) => (exact === undefined) !== (prefix === undefined),
      ),
    ],
  },
);

const http = object(
  {
    methods: optional(
      arrayOf(string(), {
        maxItems: 20,
        'x-kubernetes-list-type': 'atomic',
        description: 'Only requests with one of these methods.',
      }),
    ),
    paths: optional(
      arrayOf(path, {
        maxItems: 20,
        'x-kubernetes-list-type': 'atomic',
        description: 'Only requests for one of these paths.',
      }),
    ),
  },
  { description: 'Only these HTTP requests; judged by a proxy beside the pod.' },
);

/** Kubernetes' own limit on an object's annotations. */
const maxAnnotationBytes = 256 * 1024;

const metadata = object(
  {
    annotations: optional(
      mapOf(string(), {
        description: 'Notes of your own.',
        check: (annotations) =>
          JSON.stringify(annotations).length > maxAnnotationBytes
            ? `must have at most ${maxAnnotationBytes} bytes in all`
            : undefined,
      }),
    ),
  },
  { description: 'Notes about the rule; they change nothing.' },
);

/** The schema of one rule. It differs by direction, and by whether the policy has a namespace. */
export function rule(direction: 'ingress' | 'egress', { namespaced }: { namespaced: boolean }) {
  return object(
    {
      action: oneOf(['Allow', 'Deny', 'Log', 'Pass'], {
        description:
          'Allow and Deny end the matter, Pass goes on with the next tier, Log notes the packet and goes on.',
      }),
      ipVersion: optional(oneOfNumbers([4, 6], { description: 'Only packets of this IP version.' })),
      protocol: optional(
        protocol({ description: 'Only this protocol: TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number.' }),
      ),
      notProtocol: optional(protocol({ description: 'Any but this protocol.' })),
      icmp: optional(icmp('Only these ICMP messages.')),
      notICMP: optional(icmp('Any but these ICMP messages.')),
      source: optional(entityRule('Where the packet comes from.', rulesOfSource(direction, namespaced))),
      destination: optional(entityRule('Where the packet goes.', rulesOfDestination(direction, namespaced))),
      http: optional(http),
      metadata: optional(metadata),
    },
    { 'x-kubernetes-validations': rulesOfRule(direction) },
  );
}

export type PolicyRule = Static<ReturnType<typeof rule>>;
