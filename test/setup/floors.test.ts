// The house's own rules must notice a breach, or they hold nothing.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkFloors } from '../../setup/floors.ts';

function faultsOf(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'floors-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return checkFloors(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('the evaluator may know the types of what it judges, and load none of its code', () => {
  const file = 'src/policy/evaluate/rule.ts';
  assert.deepEqual(faultsOf({ [file]: "import type { Pod } from '../../resources/index.ts';\n" }), []);
  const faults = faultsOf({
    [file]:
      "import { type Cidr, cidrContains } from '../../net/index.ts';\nimport { x } from '../calico/ports.ts';\n",
  });
  assert.equal(faults.length, 2);
  assert.match(faults.join(), /rule\.ts: loads "\.\.\/\.\.\/net\/index\.ts"; src\/policy\/evaluate proves/);
});

test('no compiler may load what it is proved by', () => {
  const [fault] = faultsOf({
    'src/policy/calico/rule.ts': "import { isWithin } from '../evaluate/address.ts';\n",
  });
  assert.match(fault ?? '', /what src\/policy\/evaluate proves shares no code with it/);
});
