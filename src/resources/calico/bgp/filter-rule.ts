// A rule of a BGPFilter: which routes it is about, and what becomes of them. The two IP versions differ in bounds alone.
import type { Static } from 'typebox';
import { tryParseCidr } from '../../../net/index.ts';
import { arrayOf, integer, object, oneOf, optional, type Rule, ruleFor, string } from '../../field.ts';
import { communityValue } from './community-field.ts';
import { filterOperation } from './filter-operation.ts';
import { routePriority } from './route-priority-field.ts';

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const;
const atomicMap = { 'x-kubernetes-map-type': 'atomic' } as const;

interface FilterFields {
  action: string;
  cidr?: string;
  matchOperator?: string;
  prefixLength?: { min?: number; max?: number };
  operations?: unknown[];
}

const rules: Rule[] = [
  ruleFor<FilterFields>(
    "(has(self.cidr) && self.cidr != '') == has(self.matchOperator)",
    'must have cidr and matchOperator together',
    ({ cidr, matchOperator }) => Boolean(cidr) === (matchOperator !== undefined),
  ),
  ruleFor<FilterFields>(
    "!has(self.prefixLength) || has(self.cidr) && self.cidr != ''",
    'cannot have a prefixLength without a cidr',
    ({ cidr, prefixLength }) => prefixLength === undefined || Boolean(cidr),
  ),
  ruleFor<FilterFields>(
    "!has(self.operations) || self.action == 'Accept'",
    'cannot have operations unless action is Accept',
    ({ action, operations }) => operations === undefined || action === 'Accept',
  ),
];

function prefixLength(bits: number) {
  return object(
    {
      min: optional(integer({ minimum: 0, maximum: bits, format: 'int32', description: 'Shortest prefix.' })),
      max: optional(integer({ minimum: 0, maximum: bits, format: 'int32', description: 'Longest prefix.' })),
    },
    {
      ...atomicMap,
      description:
        "Only routes with prefixes of these lengths; those of the CIDR's own length and longer when absent.",
      'x-kubernetes-validations': [
        ruleFor<{ min?: number; max?: number }>(
          '!has(self.min) || !has(self.max) || self.min <= self.max',
          'must not have min above max',
          ({ min = 0, max = bits }) => min <= max,
        ),
      ],
    },
  );
}

function interfaceFault(name: unknown): string | undefined {
  return /^[a-zA-Z0-9_.*-]+$/.test(String(name))
    ? undefined
    : 'must be the name of an interface, in which "*" stands for any characters';
}

/** @param maxLength of the text of a CIDR. */
export function filterRule(family: 4 | 6, { maxLength, bits }: { maxLength: number; bits: number }) {
  const cidrFault = (text: unknown) =>
    tryParseCidr(String(text))?.family === family ? undefined : `must be an IPv${family} CIDR`;
  return object(
    {
      action: oneOf(['Accept', 'Reject'], { description: 'What becomes of the routes.' }),
      cidr: optional(
        string({
          maxLength,
          format: 'cidr',
          check: cidrFault,
          description: 'A range to compare destinations with.',
        }),
      ),
      matchOperator: optional(
        oneOf(['Equal', 'NotEqual', 'In', 'NotIn'], { description: 'How destinations compare with `cidr`.' }),
      ),
      prefixLength: optional(prefixLength(bits)),
      source: optional(
        oneOf(['RemotePeers'], { description: 'Only routes that came from peers, none of our own.' }),
      ),
      interface: optional(
        string({
          maxLength: 15,
          check: interfaceFault,
          description: 'Only routes through this interface; "*" stands for any characters.',
        }),
      ),
      peerType: optional(
        oneOf(['eBGP', 'iBGP'], { description: 'Only sessions with other systems, or within our own.' }),
      ),
      communities: optional(
        object(
          {
            values: arrayOf(communityValue(), {
              minItems: 1,
              maxItems: 1,
              ...atomic,
              description: 'The community.',
            }),
          },
          { ...atomicMap, description: 'Only routes that carry this community.' },
        ),
      ),
      asPathPrefix: optional(
        arrayOf(integer({ format: 'int32' }), {
          ...atomic,
          description: 'Only routes whose AS path begins with these systems.',
        }),
      ),
      priority: optional(routePriority({ description: 'Only routes of this priority.' })),
      operations: optional(
        arrayOf(filterOperation, {
          minItems: 1,
          maxItems: 10,
          ...atomic,
          description: 'Changes to the routes that are accepted, in order.',
        }),
      ),
    },
    { ...atomicMap, 'x-kubernetes-validations': rules },
  );
}

export type BGPFilterRule = Static<ReturnType<typeof filterRule>>;
