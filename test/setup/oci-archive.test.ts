// The archives of our images: pods run them as other users than root, whoever made them.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeOciArchive } from '../../images/oci-archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'calico-oci-archive-'));
after(() => rmSync(folder, { recursive: true }));

test('an image has the same bytes, whatever the umask of who makes it', () => {
  assert.ok(archiveUnder(0o077).equals(archiveUnder(0o022)));
  assert.ok(archiveUnder(0o002).equals(archiveUnder(0o022)));
});

function archiveUnder(umask: number): Buffer {
  const before = process.umask(umask);
  try {
    const place = join(folder, umask.toString(8));
    const layer = join(place, 'layer');
    mkdirSync(join(layer, 'usr/bin'), { recursive: true });
    writeFileSync(join(layer, 'usr/bin/program'), '#!/bin/sh\n', { mode: 0o777 });
    writeFileSync(join(layer, 'usr/text'), 'text\n');
    const archive = join(place, 'image.tar');
    const image = { name: 'calico-test.local/umask:1', layers: [layer], entrypoint: ['/usr/bin/program'] };
    writeOciArchive(image, archive, join(place, 'scratch'));
    return readFileSync(archive);
  } finally {
    process.umask(before);
  }
}
