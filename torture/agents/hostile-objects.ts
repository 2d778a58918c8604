// What real agents find in the store instead of what they stand on: their own Nodes and the objects named "default", hostile, beside
// others that are. Stored while the API server is away, past all that would judge them; the agents list them when it is back.
import { join } from 'node:path';
import {
  bgpConfigurations,
  clusterInformations,
  felixConfigurations,
  ipamConfigurations,
  kubeControllersConfigurations,
  nodes,
  type Resource,
  type ResourceKind,
} from '../../src/resources/index.ts';
import { type HostileObject, hostileInstead, hostileObject } from '../../test/faults/hostile-objects.ts';
import { networkTemplates, policyTemplates, startTemplates } from '../../test/faults/hostile-templates.ts';
import { plantObjects, uprootObjects } from '../../test/faults/planted-objects.ts';
import type { Agents } from './agents.ts';

const defaults = [
  felixConfigurations,
  ipamConfigurations,
  clusterInformations,
  bgpConfigurations,
  kubeControllersConfigurations,
] as unknown as readonly ResourceKind[];
const templates = [...policyTemplates, ...networkTemplates];

export class HostileObjects {
  readonly #agents: Agents;
  readonly #random: () => number;
  readonly #database: string;
  #sound: readonly HostileObject[] = [];
  #others: readonly HostileObject[] = [];
  #number = 0;

  /** `random` gives 0 to below 1. */
  constructor(agents: Agents, random: () => number) {
    this.#agents = agents;
    this.#random = random;
    this.#database = join(agents.run.folder, 'api.sqlite');
  }

  /** Keeps what there is now as what is sound; a default that there is not counts as one that says nothing. */
  async remember(): Promise<void> {
    const keep = async (kind: ResourceKind, name: string): Promise<HostileObject> => {
      const made: Resource = {
        apiVersion: `${kind.group}/${kind.version}`,
        kind: kind.kind,
        metadata: { name },
      };
      const object = await this.#agents.datastore
        .get(kind, { name })
        .catch(() => ({ ...made, spec: {} }) as Resource);
      return { kind, object };
    };
    const own = this.#agents.nodes.map((name) => keep(nodes as unknown as ResourceKind, name));
    this.#sound = await Promise.all([...own, ...defaults.map((kind) => keep(kind, 'default'))]);
  }

  /** Puts hostile ones in their places, each with the given probability, and so many others beside. Returns what it has put. */
  async plant(share: number, others: number): Promise<readonly HostileObject[]> {
    const instead = this.#sound
      .filter(() => this.#random() < share)
      .map(({ kind, object }) => {
        const [, template = {}] = startTemplates.find(([one]) => one.kind === kind.kind) ?? [];
        return hostileInstead(kind, object, template, this.#random);
      });
    this.#others = Array.from({ length: others }, () =>
      hostileObject(this.#number++, this.#random, templates),
    );
    const planted = [...instead, ...this.#others];
    await this.#agents.restartApi(async () => plantObjects(this.#database, planted));
    return planted;
  }

  /** Puts back what was sound, and takes out the others. */
  restore(): Promise<void> {
    return this.#agents.restartApi(async () => {
      uprootObjects(this.#database, [...this.#others, ...this.#sound]);
      plantObjects(this.#database, this.#sound);
    });
  }
}
