import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergePatch } from './memory/merge-patch.ts';
import { replacingPatch } from './replacing-patch.ts';

test('a replacing patch makes of anything exactly what is wanted', () => {
  const value = fc.letrec<{ value: unknown; object: object }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.integer({ min: 0, max: 2 }),
      fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('value')),
  }));
  fc.assert(
    fc.property(fc.option(value.value), value.object, (present, wanted) => {
      assert.deepEqual(
        mergePatch(present, replacingPatch(present, wanted)),
        JSON.parse(JSON.stringify(wanted)),
      );
    }),
  );
});
