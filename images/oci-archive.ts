// Writes container images without a container engine: an OCI image layout in one tar file, as `ctr images import`,
// `docker load` and `skopeo` read it.
// Sources: https://github.com/opencontainers/image-spec image-layout.md, manifest.md, config.md
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';

export interface Image {
  /** With its tag, as a pod names it: "calico-ts/calico:v0.1.0". */
  readonly name: string;
  /** Folders whose content is laid over each other, the lowest first. */
  readonly layers: readonly string[];
  readonly entrypoint: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What reads on: https://github.com/opencontainers/image-spec/blob/main/annotations.md */
  readonly labels?: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  // Not compressed: it goes no further than to a runtime on this machine, which would only unpack it again.
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

/**
 * The same folders give the same bytes, whoever owns them, whenever and under whatever umask they were written. Everybody may read
 * and run what the owner may: kube-controllers is not root.
 */
const reproducible = [
  '--sort=name',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--mtime=@0',
  '--mode=go=u-w',
];

/** Writes the archive to `path`; `scratch` is a folder for its parts, which is removed. */
export function writeOciArchive(image: Image, path: string, scratch: string): void {
  const blobs = join(scratch, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const layers = image.layers.map((folder) => layerOf(folder, blobs));
  const platform = { os: 'linux', architecture: arch() === 'arm64' ? 'arm64' : 'amd64' };
  const config = writeJson(blobs, mediaTypes.config, {
    ...platform,
    config: {
      Entrypoint: image.entrypoint,
      Env: Object.entries(image.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      Labels: image.labels ?? {},
    },
    // Of a layer that is not compressed, this is its digest as well.
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifest = writeJson(blobs, mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers,
  });
  const annotations = {
    'io.containerd.image.name': image.name,
    'org.opencontainers.image.ref.name': image.name.slice(image.name.lastIndexOf(':') + 1),
  };
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ ...manifest, platform, annotations }],
  };
  writeFileSync(join(scratch, 'index.json'), JSON.stringify(index));
  writeFileSync(join(scratch, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  execFileSync('tar', [...reproducible, '-cf', path, '-C', scratch, 'oci-layout', 'index.json', 'blobs']);
  rmSync(scratch, { recursive: true });
}

function layerOf(folder: string, blobs: string): Descriptor {
  const unnamed = join(blobs, 'layer.tar');
  execFileSync('tar', [...reproducible, '-cf', unnamed, '-C', folder, '.']);
  const hex = sha256(unnamed);
  const size = statSync(unnamed).size;
  renameSync(unnamed, join(blobs, hex));
  return { mediaType: mediaTypes.layer, digest: `sha256:${hex}`, size };
}

function writeJson(blobs: string, mediaType: string, content: object): Descriptor {
  const text = JSON.stringify(content);
  const hex = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(blobs, hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}

function sha256(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  const piece = Buffer.allocUnsafe(1 << 20);
  for (let bytes = readSync(file, piece); bytes > 0; bytes = readSync(file, piece)) {
    hash.update(piece.subarray(0, bytes));
  }
  closeSync(file);
  return hash.digest('hex');
}
