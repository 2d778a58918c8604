// What tables show of policies and network sets.
import { column } from './column.ts';

export const policyColumns = {
  policy: {
    columns: [
      column('TIER', '.spec.tier', 'default'),
      column('ORDER', '.spec.order', '<infinity>'),
      column('SELECTOR', '.spec.selector', 'all()'),
    ],
    ordinary: ['TIER'],
  },
  set: { columns: [column('NETS', '.spec.nets')] },
} as const;
