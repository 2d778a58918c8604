// What Felix makes of one FelixConfiguration for all nodes, where neither environment nor file says anything.
import { objectLayers } from '../../src/felix/configuration/layers.ts';
import { resolveSettings } from '../../src/felix/configuration/resolve.ts';
import type { FelixSettings } from '../../src/felix/index.ts';
import type { FelixConfiguration } from '../../src/resources/index.ts';

export function settingsOf(configuration: FelixConfiguration): FelixSettings {
  return resolveSettings(objectLayers([configuration], 'any', new Map()).layers).settings;
}
