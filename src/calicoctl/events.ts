// Events, by which kubelet and others tell what they have met.
import type { Resource, ResourceKind } from '../resources/index.ts';

export interface Event extends Resource {
  readonly involvedObject?: {
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
  };
  readonly reason?: string;
  readonly message?: string;
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly lastTimestamp?: string | null;
}

export const events: ResourceKind<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};
