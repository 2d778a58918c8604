// The fields of cluster-wide policies that are about host endpoints only, and what they must satisfy together.
import { boolean, optional, type Rule, ruleFor } from '../../field.ts';

export const hostEndpointFields = {
  applyOnForward: optional(
    boolean({ description: 'Whether it is also about traffic that a host endpoint forwards.' }),
  ),
  doNotTrack: optional(
    boolean({ description: 'Whether it is judged before connection tracking, packet by packet.' }),
  ),
  preDNAT: optional(
    boolean({ description: 'Whether it is judged before destinations are translated, as node ports are.' }),
  ),
};

interface HostEndpointFields {
  applyOnForward?: boolean;
  doNotTrack?: boolean;
  preDNAT?: boolean;
  types?: string[];
  egress?: unknown[];
}

const isSet = (field: string) => `has(self.${field}) && self.${field}`;

export const hostEndpointRules: Rule[] = [
  ruleFor<HostEndpointFields>(
    `!(${isSet('preDNAT')} && ${isSet('doNotTrack')})`,
    'cannot have both preDNAT and doNotTrack',
    ({ preDNAT, doNotTrack }) => !(preDNAT && doNotTrack),
  ),
  ruleFor<HostEndpointFields>(
    `!(${isSet('preDNAT')} || ${isSet('doNotTrack')}) || ${isSet('applyOnForward')}`,
    'must set applyOnForward to true with preDNAT or doNotTrack',
    ({ preDNAT, doNotTrack, applyOnForward }) => !(preDNAT || doNotTrack) || applyOnForward === true,
  ),
  ruleFor<HostEndpointFields>(
    `!(${isSet('preDNAT')}) || !has(self.egress) || size(self.egress) == 0`,
    'cannot have egress rules with preDNAT, which judges what arrives',
    ({ preDNAT, egress = [] }) => !preDNAT || egress.length === 0,
  ),
  ruleFor<HostEndpointFields>(
    `!(${isSet('preDNAT')}) || !has(self.types) || !('Egress' in self.types)`,
    'cannot have the type Egress with preDNAT, which judges what arrives',
    ({ preDNAT, types = [] }) => !preDNAT || !types.includes('Egress'),
  ),
];
