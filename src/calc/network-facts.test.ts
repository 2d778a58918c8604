// The facts after any row of updates, beside a plain reading of what is said in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Node, nodeAnnotations } from '../resources/index.ts';
import { NetworkFactsIndex } from './network-facts.ts';

const node = (name: string, annotations: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, annotations },
});

const addresses = fc.constantFrom('172.30.0.1', '172.30.0.2', 'no address', undefined);

const update = fc
  .record({ name: fc.constantFrom('a', 'b', 'c'), first: addresses, second: addresses, isGone: fc.boolean() })
  .map(({ name, first, second, isGone }) => ({
    name,
    node: isGone
      ? undefined
      : node(name, {
          ...(first && { [nodeAnnotations.ipv4Address]: `${first}/24` }),
          ...(second && { [nodeAnnotations.ipv6Address]: `${second}/64` }),
        }),
  }));

function plainly(said: ReadonlyMap<string, Node | undefined>): string[] {
  const all = [...said.values()].flatMap((one) => Object.values(one?.metadata.annotations ?? {}));
  const values = all.map((value) => value.split('/')[0] ?? '').filter((value) => value !== 'no address');
  return [...new Set(values)].sort();
}

test('an address is known as long as any node says it, and a change is told exactly when there is one', () => {
  fc.assert(
    fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
      const index = new NetworkFactsIndex();
      const said = new Map<string, Node | undefined>();
      for (const { name, node: told } of updates) {
        const before = plainly(said);
        said.set(name, told);
        index.setNode(name, told);
        assert.deepEqual([...index.facts.nodes].sort(), plainly(said));
        assert.equal(index.takeChanges().has('nodes'), plainly(said).join() !== before.join());
      }
    }),
  );
});
