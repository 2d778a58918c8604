// IPReservation: addresses of pools that are never handed out by themselves.
import type { Static } from 'typebox';
import { arrayOf, object, optional, string } from '../field.ts';
import { fieldsOf, soundPart } from '../misfit.ts';
import type { Resource, Salvage } from '../resource.ts';
import { calicoKind } from './calico-kind.ts';

const spec = object({
  reservedCIDRs: optional(
    arrayOf(string({ format: 'cidr' }), {
      'x-kubernetes-list-type': 'set',
      description: 'The ranges to leave out; "10.0.0.5/32" for a single address.',
    }),
  ),
});

export interface IPReservation extends Resource {
  spec: Static<typeof spec>;
}

export const ipReservations = calicoKind<IPReservation>({
  kind: 'IPReservation',
  plural: 'ipreservations',
  description: 'Addresses of pools that are not handed out unless they are asked for by name.',
  aliases: ['ipres', 'reservation', 'reservations'],
  example: {
    metadata: { name: 'printers' },
    spec: { reservedCIDRs: ['192.168.7.0/28', '192.168.9.1/32'] },
  },
  salvage,
  spec,
});

/** One bad line must not take the others away: their addresses would be handed out. */
function salvage(object: Resource): Salvage<IPReservation> {
  const lines: unknown[] = [fieldsOf(object)?.reservedCIDRs].flat();
  const reservedCIDRs = lines.filter((line) => typeof line === 'string');
  const how = reservedCIDRs.length > 0 ? 'what else it reserves stays reserved' : 'it reserves nothing';
  return { object: { ...soundPart(ipReservations, object), spec: { reservedCIDRs } }, how };
}
