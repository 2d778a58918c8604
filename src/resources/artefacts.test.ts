import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { calicoKinds, describeFault, generatedFiles, generatedFolders, readManifest } from './index.ts';

const root = join(import.meta.dirname, '../..');

test('every generated file is as the kinds would have it today', () => {
  for (const { path, text } of generatedFiles()) {
    assert.equal(readFileSync(join(root, path), 'utf8'), text, `${path} is stale: run "npm run generate"`);
  }
});

test('every example is one that would be taken', () => {
  for (const { path, text } of generatedFiles().filter(({ path }) => path.startsWith('docs/reference/'))) {
    for (const [, yaml = ''] of text.matchAll(/```yaml\n(.*?)```/gs)) {
      assert.deepEqual(
        readManifest(yaml, path).map(({ faults }) => faults?.map(describeFault)),
        [undefined],
      );
    }
  }
});

test('no file is left of what is generated no more', () => {
  const paths = generatedFolders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((file) => `${folder}/${file}`),
  );
  assert.deepEqual(
    paths.sort(),
    generatedFiles()
      .map(({ path }) => path)
      .sort(),
  );
});

test('a page tells of every kind, and each of its links leads to a heading of it', () => {
  const pages = new Map(generatedFiles().map(({ path, text }) => [path, text]));
  for (const { kind } of calicoKinds) {
    const page = pages.get(`docs/reference/${kind.toLowerCase()}.md`) ?? '';
    const anchors = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = '']) =>
      heading.toLowerCase().replace(/[^a-z0-9 _-]/g, ''),
    );
    for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]*)\)/g)) {
      assert.ok(anchors.includes(anchor), `${kind}: #${anchor}`);
    }
    assert.equal(new Set(anchors).size, anchors.length, kind);
    assert.match(page, new RegExp(`^# ${kind}$`, 'm'));
  }
});
