// Addresses that rest between two owners, so that nobody who still speaks to the old one reaches the new one. No timer wakes
// them: whoever reads a block to change it frees first what has rested long enough.
import { attributeOf, type BlockSpec, vacate } from './block.ts';

/** The most that IPAMConfiguration takes. */
const longestCooldownMs = 1200 * 1000;

/** Frees what has rested for that long, or for the longest that may be asked for, longest first. The same spec when nothing has. */
export function withoutCooled(spec: BlockSpec, cooldownSeconds: number, now: Date): BlockSpec {
  if (!spec.attributes.some(({ releasedAt }) => releasedAt !== undefined)) return spec;
  const cooldownMs = Math.min(cooldownSeconds * 1000, longestCooldownMs);
  const rested: { ordinal: number; restMs: number }[] = [];
  for (const ordinal of spec.allocations.keys()) {
    const releasedAt = attributeOf(spec, ordinal)?.releasedAt;
    if (releasedAt === undefined) continue;
    const restMs = now.getTime() - Date.parse(releasedAt);
    // A time that cannot be read, or lies further ahead than clocks differ, must not keep an address for ever.
    const isResting = restMs < cooldownMs && cooldownMs > 0 && restMs > -longestCooldownMs;
    if (!isResting) rested.push({ ordinal, restMs });
  }
  rested.sort((a, b) => b.restMs - a.restMs);
  return vacate(
    spec,
    rested.map(({ ordinal }) => ordinal),
  );
}
