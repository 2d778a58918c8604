// The door of the reader of manifests: YAML and JSON files as people write them.
export { describeFault, faultText } from './describe-fault.ts';
export type { ManifestEntry, ManifestFault } from './manifest-entry.ts';
export { readManifest } from './read-manifest.ts';
