// The versions of the CNI specification that the plugin speaks.

export const supportedVersions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof supportedVersions)[number];

/** What a configuration without a version means, by the specification. */
export const impliedVersion: CniVersion = '0.2.0';

export function isSupported(version: string): version is CniVersion {
  return (supportedVersions as readonly string[]).includes(version);
}

export function isAtLeast(version: CniVersion, least: CniVersion): boolean {
  return supportedVersions.indexOf(version) >= supportedVersions.indexOf(least);
}
