// v1 ResourceQuota and LimitRange, of which there are none: nothing is counted or limited here, so nobody can make one. They can be
// asked for, as `kubectl describe namespace` does.
import { openObject } from '../schema/schema.ts';
import { ageColumn } from '../table/age.ts';
import { builtIn } from './resource-type.ts';

const never = {
  version: 'v1',
  schema: openObject({}),
  columns: [ageColumn],
  verbs: ['get', 'list', 'watch'],
};

export const resourceQuotaType = builtIn({
  ...never,
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
});

export const limitRangeType = builtIn({
  ...never,
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
});
