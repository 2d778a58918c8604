// A change that a BGPFilter's rule makes to a route: each operation is exactly one of these.
import { arrayOf, integer, object, optional, ruleFor } from '../../field.ts';
import { communityValue } from './community-field.ts';
import { routePriority } from './route-priority-field.ts';

const atomicMap = { 'x-kubernetes-map-type': 'atomic' } as const;

export const filterOperation = object(
  {
    addCommunity: optional(
      object(
        { value: communityValue({ description: 'The community.' }) },
        { ...atomicMap, description: 'Adds a community to the route.' },
      ),
    ),
    prependASPath: optional(
      object(
        {
          prefix: arrayOf(integer({ format: 'int32' }), {
            minItems: 1,
            maxItems: 10,
            'x-kubernetes-list-type': 'atomic',
            description: 'The systems, the first to the front.',
          }),
        },
        { ...atomicMap, description: 'Makes the AS path longer, so that others prefer it less.' },
      ),
    ),
    setPriority: optional(
      object(
        { value: routePriority({ description: 'The priority.' }) },
        { ...atomicMap, description: 'Sets the priority with which the kernel gets the route.' },
      ),
    ),
  },
  {
    ...atomicMap,
    maxProperties: 1,
    'x-kubernetes-validations': [
      ruleFor<object>(
        'has(self.addCommunity) || has(self.prependASPath) || has(self.setPriority)',
        'must have one of addCommunity, prependASPath and setPriority',
        (operation) => Object.keys(operation).length > 0,
      ),
    ],
  },
);
