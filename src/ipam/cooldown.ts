// Addresses that rest between two owners, so that nobody who still speaks to the old one reaches the new one. No timer wakes
// them: whoever reads a block to change it frees first what has rested long enough.
import { attributeOf, type BlockSpec, vacate } from './block.ts';

/** Frees what has rested for that long, longest first. The same spec when nothing has. */
export function withoutCooled(spec: BlockSpec, cooldownSeconds: number, now: Date): BlockSpec {
  if (!spec.attributes.some(({ releasedAt }) => releasedAt !== undefined)) return spec;
  const rested: { ordinal: number; restMs: number }[] = [];
  for (const ordinal of spec.allocations.keys()) {
    const releasedAt = attributeOf(spec, ordinal)?.releasedAt;
    if (releasedAt === undefined) continue;
    // A node whose clock is far ahead must not keep an address for as long, and one without a clear time not for ever.
    const restMs = Math.abs(now.getTime() - Date.parse(releasedAt));
    if (!(restMs < cooldownSeconds * 1000)) rested.push({ ordinal, restMs });
  }
  rested.sort((a, b) => b.restMs - a.restMs);
  return vacate(
    spec,
    rested.map(({ ordinal }) => ordinal),
  );
}
