// Felix' settings as they are now: the node's environment and file, which do not change while the process runs, over the
// FelixConfigurations that are for this node, which are followed.
import type { Datastore, Follower } from '../../datastore/index.ts';
import { type FelixConfiguration, felixConfigurations, nodes } from '../../resources/index.ts';
import { environmentLayer, fileLayer, type Layer, objectLayers } from './layers.ts';
import type { FelixSettings, ParameterName } from './parameters/index.ts';
import { changedParameters, resolveSettings } from './resolve.ts';

export interface FollowedSettingsOptions {
  readonly node: string;
  readonly datastore: Datastore;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Upstream's is /etc/calico/felix.cfg; it need not exist. */
  readonly file: string;
  /** Told once of each sentence about what could not be taken. */
  readonly onFault: (sentence: string) => void;
}

export class FollowedSettings {
  readonly #options: FollowedSettingsOptions;
  readonly #fixed: readonly Layer[];
  readonly #objects = new Map<string, FelixConfiguration>();
  readonly #followers: readonly Follower[];
  readonly #told = new Set<string>();
  readonly #first = Promise.withResolvers<FelixSettings>();
  #labels: ReadonlyMap<string, string> = new Map();
  #kindsToSync = 2;
  #settings: FelixSettings | undefined;
  #onChange: ((settings: FelixSettings, changed: readonly ParameterName[]) => void) | undefined;

  constructor(options: FollowedSettingsOptions) {
    this.#options = options;
    const { datastore, node, environment, file } = options;
    this.#fixed = [environmentLayer(environment), fileLayer(file)];
    const onInSync = () => {
      this.#kindsToSync--;
      this.#resolve();
    };
    this.#followers = [
      datastore.follow(felixConfigurations, {
        onUpsert: (object) => this.#set(object),
        // Every field is judged by itself, so that one that is wrong does not take the others away.
        onMisfit: (object) => this.#set(object),
        onDelete: ({ name }) => {
          this.#objects.delete(name);
          this.#resolve();
        },
        onInSync,
      }),
      datastore.follow(
        nodes,
        {
          onUpsert: ({ metadata }) => {
            if (metadata.name !== node) return;
            this.#labels = new Map(Object.entries(metadata.labels ?? {}));
            this.#resolve();
          },
          // A node without an object has no labels that could be selected.
          onDelete: () => {},
          onInSync,
        },
        { fieldSelector: `metadata.name=${node}` },
      ),
    ];
  }

  /** What the node's environment and file say, without any object. */
  get ofNode(): FelixSettings {
    return resolveSettings(this.#fixed).settings;
  }

  /** Resolves with the settings of the start, when all that is there has been seen. */
  get first(): Promise<FelixSettings> {
    return this.#first.promise;
  }

  /** Calls back whenever the settings are others than they last were, `since` to begin with, with the names of what has changed. */
  watch(
    since: FelixSettings,
    onChange: (settings: FelixSettings, changed: readonly ParameterName[]) => void,
  ): void {
    this.#settings = since;
    this.#onChange = onChange;
    this.#resolve();
  }

  stop(): void {
    for (const follower of this.#followers) follower.stop();
  }

  #set(object: FelixConfiguration): void {
    const { name } = object.metadata;
    if (typeof object.spec === 'object' && object.spec !== null) this.#objects.set(name, object);
    else this.#objects.delete(name);
    this.#resolve();
  }

  #resolve(): void {
    if (this.#kindsToSync > 0) return;
    const { node, onFault } = this.#options;
    const chosen = objectLayers([...this.#objects.values()], node, this.#labels);
    const { settings, faults } = resolveSettings([...this.#fixed, ...chosen.layers]);
    for (const fault of [...chosen.faults, ...faults]) {
      if (!this.#told.has(fault)) onFault(fault);
      this.#told.add(fault);
    }
    const before = this.#settings;
    this.#settings = settings;
    this.#first.resolve(settings);
    const changed = before ? changedParameters(before, settings) : [];
    if (changed.length > 0) this.#onChange?.(settings, changed);
  }
}
