// What reading a manifest gives: per object either the object or what is wrong with it.
import type { Resource, ResourceKind } from '../resource.ts';

/** One fault and where it stands. */
export interface ManifestFault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** "spec.allowedUses[1]"; empty for the object, or the document, as a whole. */
  readonly path: string;
  /** What stands there; undefined when nothing does. */
  readonly value: unknown;
  /** Follows the path: "must be one of ...". */
  readonly message: string;
}

/** `line` is where the object begins. */
export type ManifestEntry =
  | {
      readonly file: string;
      readonly line: number;
      /** As written: defaults are not filled in. */
      readonly object: Resource;
      readonly kind: ResourceKind;
      readonly faults?: undefined;
    }
  | {
      readonly file: string;
      readonly line: number;
      readonly faults: readonly ManifestFault[];
      readonly object?: undefined;
    };
