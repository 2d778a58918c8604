// Every kind that is served now: the built-in ones, and those of the stored CustomResourceDefinitions as these come and go.
import type { KubeObject } from '../json.ts';
import type { Store } from '../store/store.ts';
import { bindingType } from './binding.ts';
import { typesOf } from './custom.ts';
import { definitionType } from './custom-resource-definition.ts';
import {
  configMapType,
  endpointSliceType,
  endpointsType,
  eventType,
  leaseType,
  secretType,
  serviceAccountType,
} from './data.ts';
import { limitRangeType, resourceQuotaType } from './limits.ts';
import { namespaceType } from './namespace.ts';
import { networkPolicyType } from './network-policy.ts';
import { nodeType } from './node.ts';
import { podType } from './pod.ts';
import { collectionOf, type ResourceType } from './resource-type.ts';
import { selfSubjectAccessReviewType, selfSubjectReviewType, selfSubjectRulesReviewType } from './reviews.ts';
import { serviceType } from './service.ts';

const builtInTypes: readonly ResourceType[] = [
  bindingType,
  configMapType,
  endpointsType,
  eventType,
  limitRangeType,
  namespaceType,
  nodeType,
  podType,
  resourceQuotaType,
  secretType,
  serviceAccountType,
  serviceType,
  networkPolicyType,
  endpointSliceType,
  leaseType,
  selfSubjectReviewType,
  selfSubjectAccessReviewType,
  selfSubjectRulesReviewType,
  definitionType,
];

/** Returns the object as it is to be stored; the same one when it has nothing to add. */
export type Admission = (object: KubeObject) => KubeObject;

export class Registry {
  readonly #store: Store;
  readonly #admit: Admission | undefined;
  readonly #custom = new Map<string, readonly ResourceType[]>();
  #types: readonly ResourceType[] = [];
  #byPath = new Map<string, ResourceType>();
  /** Rises with every change of what is served; discovery documents are cached by it. */
  generation = 0;

  constructor(store: Store, admit?: Admission) {
    this.#store = store;
    this.#admit = admit;
    const definitions = collectionOf(definitionType);
    for (const definition of store.list(definitions)) this.#define(definition);
    this.#index();
    store.subscribe(definitions, ({ type, object }) => {
      if (type === 'DELETED') this.#undefine(object);
      else this.#define(object);
      this.#index();
    });
  }

  /** Every served kind in every served version; the preferred version of a group comes first. */
  get types(): readonly ResourceType[] {
    return this.#types;
  }

  /** Undefined when there is no such kind. `group` is empty for the core group. */
  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  #define(definition: KubeObject): void {
    const admit = this.#admit;
    const complete = admit && { complete: (object: KubeObject) => void Object.assign(object, admit(object)) };
    const types = typesOf(definition).map((type) => ({ ...type, ...complete }));
    this.#custom.set(definition.metadata.name, types);
  }

  /** The objects of a kind go with its definition. */
  #undefine(definition: KubeObject): void {
    const [type] = this.#custom.get(definition.metadata.name) ?? [];
    this.#custom.delete(definition.metadata.name);
    if (!type) return;
    const collection = collectionOf(type);
    for (const object of this.#store.list(collection)) this.#store.remove(collection, object);
  }

  #index(): void {
    this.generation += 1;
    this.#types = [...builtInTypes, ...[...this.#custom.values()].flat()];
    this.#byPath = new Map(this.#types.map((type) => [`${type.group}/${type.version}/${type.plural}`, type]));
  }
}
