// The list of conditions that most statuses carry: one per type.
import { listByKey, openObject, string } from '../schema/schema.ts';

export const conditionList = listByKey(
  ['type'],
  openObject(
    {
      type: string,
      status: { type: 'string', enum: ['False', 'True', 'Unknown'] },
      reason: string,
      message: string,
    },
    ['type', 'status'],
  ),
);
