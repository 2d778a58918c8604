// What every object has, and what the project knows of every kind. No kind in particular lives here.
import type { TSchema } from 'typebox';
import type { Rule } from './field.ts';

/** Kubernetes' ObjectMeta, as it stands on the wire: times are RFC 3339 strings. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  /** Opaque; only equality means something. Absent on an object that was never stored. */
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}

export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface PrinterColumn {
  readonly name: string;
  readonly jsonPath: string;
  /** "string" when absent. */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date';
}

/** An object as a person would write it, for others to start from. */
export interface Example {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
  readonly spec: object;
}

/** One kind of object: where the API serves it and, for Calico's own kinds, the schema that everything else derives from. */
export interface ResourceKind<T extends Resource = Resource> {
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** One or two sentences: what its objects are for. Present on kinds with a schema. */
  readonly description?: string;
  readonly shortNames?: readonly string[];
  /** Names that calicoctl takes besides; the API server does not know them. */
  readonly aliases?: readonly string[];
  /** What `kubectl get` shows besides the name. */
  readonly columns?: readonly PrinterColumn[];
  /** Whether status is a subresource: written apart from the rest, and dropped when the rest is written. */
  readonly hasStatus?: boolean;
  /** Paths (".spec.tier") by which lists and watches may select, besides name and namespace. */
  readonly selectableFields?: readonly string[];
  /** Of an object without apiVersion, kind and metadata. */
  readonly schema?: TSchema;
  /** Rules over the whole object; of metadata the API server lets them see `name` alone. */
  readonly rules?: readonly Rule[];
  /** What is wrong with the whole object, for what CEL cannot say; undefined when nothing is. */
  check?(object: Resource): string | undefined;
  /** Why an object with fields of the right types is still of no use to any reader; undefined when it is of use. */
  flaw?(object: T): string | undefined;
  /**
   * What a reader takes an object for that is not what its kind is, where leaving it out would open what it closes, or the reader
   * cannot do without it; undefined where it is left out. Never throws.
   */
  salvage?(object: Resource, reader: Reader): Salvage<T> | undefined;
  /** For kinds of Kubernetes' own groups: where the API was approved, which their CRDs must say. */
  readonly approval?: string;
  /** A small object for the kind's reference page, without apiVersion and kind. */
  readonly example?: Example;
  /** Carries the object's type only; never present at run time. */
  readonly object?: T;
}

/** Who reads what a store holds. */
export interface Reader {
  /** The node whose agent it is; absent for programs that are no node's. */
  readonly node?: string;
}

export interface Salvage<T extends Resource> {
  /** What its kind is. */
  readonly object: T;
  /** What has become of it, as the end of a sentence: "it reserves nothing". */
  readonly how: string;
}

/** Names an object within its kind. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** "v1", "networking.k8s.io/v1". */
export function apiVersionOf(kind: ResourceKind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** "namespace/name", or "name" for a cluster-scoped object: unique within a kind. */
export function keyOf(object: { metadata: { name: string; namespace?: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}
