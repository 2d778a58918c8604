// What the server knows of one kind in one version: names, schema, table columns, and the hooks a schema cannot express.
import type { Json, JsonObject, KubeObject } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import type { FieldFault } from '../status-error.ts';
import type { Store } from '../store/store.ts';

/** A part of an object that is written by itself: its status, the node of a pod, a namespace's own finalizers. */
export type SubresourceName = 'status' | 'binding' | 'finalize';

/** One besides the status. */
export interface Subresource {
  readonly name: SubresourceName;
  /** What is sent to it. */
  readonly kind: string;
  readonly verb: 'create' | 'update';
}

/** What answers an object is given besides it. */
export interface AnswerOptions {
  readonly store: Store;
  readonly dryRun: boolean;
  /** Who asks. */
  readonly fieldManager: string | undefined;
}

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 and above only with `-o wide`. */
  readonly priority?: number;
  /** What stands in the cell; undefined leaves it "<none>" or empty as kubectl decides. */
  readonly value: (object: KubeObject) => Json | undefined;
}

export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Of the whole object, without apiVersion, kind and metadata. */
  readonly schema: Schema;
  /** Whether status is written apart, under /status. */
  readonly hasStatus: boolean;
  readonly subresources: readonly Subresource[];
  /** The only verbs that there are; all of them when absent. */
  readonly verbs?: readonly string[];
  /** Of a kind that is not kept but asked: what is answered to a sound object of it. @throws StatusError */
  readonly answer?: (object: KubeObject, options: AnswerOptions) => JsonObject;
  /** Whether all of them in a namespace, or in the cluster, may be deleted at once. */
  readonly hasCollectionDelete: boolean;
  /** Whether metadata.generation counts the changes of what is not metadata or status. */
  readonly hasGeneration: boolean;
  /** Built-in kinds take strategic merge patches; custom ones do not. */
  readonly isBuiltIn: boolean;
  /** Besides the name; AGE is added when there are none. */
  readonly columns: readonly Column[];
  /** Field paths ("spec.nodeName") for field selectors, besides metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  /** 'label' and 'service' for names that become DNS labels, 'subdomain' for the rest, 'path' for names only bound by the URL. */
  readonly nameRule: 'label' | 'service' | 'subdomain' | 'path';
  /** Fills in what the schema's defaults cannot say, in place; it belongs to who wrote the object, as these do. */
  readonly complete?: (object: KubeObject) => void;
  /** Fills in what the server gives and nobody owns, in place. `old` is absent on creation. */
  readonly prepare?: (object: KubeObject, old: KubeObject | undefined, store: Store) => void;
  /** What is sound and yet better said otherwise. */
  readonly warnings?: (object: KubeObject) => string[];
  /** What an object of this kind has when nothing is said of it, and nobody owns. */
  readonly emptyObject?: JsonObject;
  /** Cross-field rules, asked when the schema is satisfied; those of a custom kind are in CEL. */
  readonly objectRules?: (object: KubeObject, old: KubeObject | undefined) => FieldFault[];
}

/** "networking.k8s.io/v1", "v1". */
export function apiVersionOf(type: { readonly group: string; readonly version: string }): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** Where the store keeps the objects of a kind, whatever version they are asked for in. */
export function collectionOf(type: { readonly group: string; readonly plural: string }): string {
  return type.group ? `${type.plural}.${type.group}` : type.plural;
}

type BuiltIn = Pick<ResourceType, 'version' | 'kind' | 'plural' | 'schema'> & Partial<ResourceType>;

/** A built-in kind, with what most of them have in common. */
export function builtIn(type: BuiltIn): ResourceType {
  return {
    group: '',
    singular: type.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    hasStatus: false,
    subresources: [],
    hasCollectionDelete: true,
    hasGeneration: false,
    isBuiltIn: true,
    columns: [],
    selectableFields: [],
    nameRule: 'subdomain',
    ...type,
  };
}
