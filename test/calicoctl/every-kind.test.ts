// Every kind through its life, by the calicoctl that people install and the real kubectl, against the embedded API server. What
// one does the other sees. The tests are steps: each goes on where the one before it ended.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import {
  calicoKinds,
  describeFault,
  type Resource,
  type ResourceKind,
  readManifest,
  withDefaults,
} from '../../src/resources/index.ts';
import { asCreated, everyObject, everyRefusal, kindOf, toYaml, written } from '../resources/every-object.ts';
import { ApiCluster, run } from './api-cluster.ts';
import { changes } from './changes.ts';
import { installCalicoctl } from './installed.ts';
import { KubectlWatch } from './kubectl-watch.ts';

const root = join(import.meta.dirname, '..', '..');
const data = join(root, 'test', 'data');

/** Expected texts are kept in files; "--test-update-snapshots" writes them anew, and whoever does that reads them. */
const asItIs = { serializers: [String] };

const objects = everyObject;
const firsts = calicoKinds.map(({ kind }) => objects.find((object) => object.kind === kind) as Resource);

let cluster: ApiCluster;
let programs: string;
let all: string;

before(async () => {
  cluster = await ApiCluster.start({ withKinds: false });
  programs = await installCalicoctl(cluster.folder);
  all = cluster.write('all.yaml', toYaml(objects.map(asCreated)));
});
after(() => cluster[Symbol.asyncDispose]());

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs that are installed find the runtime that the project pins, whatever else the machine has. */
const path = `${dirname(process.execPath)}:${process.env.PATH}`;

function calicoctl(...arguments_: string[]): Promise<Ran> {
  return run([join(programs, 'calicoctl'), ...arguments_], {
    environment: { PATH: path, KUBECONFIG: cluster.kubeconfig },
  });
}

/** Runs many command lines of calicoctl one after another, where it is not the start of the program that matters. */
function manyLines(lines: readonly (readonly string[])[]): Promise<Ran> {
  return run([process.execPath, join(import.meta.dirname, 'run-lines.ts')], {
    stdin: JSON.stringify(lines),
    environment: { KUBECONFIG: cluster.kubeconfig },
  });
}

function kubectl(...arguments_: string[]): Promise<Ran> {
  return cluster.kubectl(arguments_);
}

/** What a command prints that ends well. */
async function printed(running: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Lines of what a command says that ends with exit code 1. */
async function refusals(running: Promise<Ran>): Promise<string[]> {
  const { code, stderr } = await running;
  assert.equal(code, 1, stderr);
  return stderr.trimEnd().split('\n');
}

/** `ippools.projectcalico.org`: Kubernetes has network policies of its own. */
function resourceOf({ plural, group }: ResourceKind): string {
  return `${plural}.${group}`;
}

/** `ippool.projectcalico.org/x-0`, as kubectl calls objects. */
function kubectlName({ kind, metadata }: Resource): string {
  return `${kind.toLowerCase()}.projectcalico.org/${metadata.name}`;
}

/** `IPPool "x-0"`, as calicoctl calls objects. */
function calicoctlName({ kind, metadata: { namespace, name } }: Resource): string {
  return `${kind} "${namespace ? `${namespace}/` : ''}${name}"`;
}

test('the installed package carries all that it needs and names nothing of where it was made', async () => {
  assert.match(await printed(calicoctl('version', '--client')), /^Client Version: +\d+\.\d+\.\d+\n$/);
  const found = await run(['grep', '-rl', root, join(programs, '..', 'lib')]);
  assert.equal(found.stdout, '');
  const plugin = await run(['kubectl', 'calico', 'version', '--client'], {
    environment: { PATH: `${programs}:${path}`, HOME: cluster.folder },
  });
  assert.match(plugin.stdout, /^Client Version/, plugin.stderr);
});

test('installed without what looks into the kernel, a dry run of a move says so, and what it would copy', async () => {
  const said = await printed(calicoctl('migrate-from-calico', '--dry-run'));
  assert.match(said, /^KIND +CREATE /m);
  assert.match(said, /^What would be taken out of this machine cannot be told: .*'koffi'/m);
  assert.match(said, /^Nothing was written$/m);
});

test('kubectl applies the definitions, and the server serves their kinds', async () => {
  await printed(kubectl('apply', '-f', join(root, 'manifests', 'crds')));
  await printed(kubectl('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s'));
});

test('kubectl applies an object of every kind, and finds the second time that nothing changes', async () => {
  const lines = (result: string) => objects.map((object) => `${kubectlName(object)} ${result}\n`).join('');
  assert.equal(await printed(kubectl('apply', '-f', all)), lines('created'));
  assert.equal(await printed(kubectl('apply', '-f', all)), lines('unchanged'));
});

test('kubectl writes the status of the kinds that have one', async () => {
  const withStatus = objects.filter((object) => Reflect.has(object, 'status'));
  assert.deepEqual(
    [...new Set(withStatus.map(({ kind }) => kind))],
    calicoKinds.flatMap(({ kind, hasStatus }) => (hasStatus ? [kind] : [])),
  );
  const file = cluster.write('status.yaml', toYaml(withStatus));
  await printed(kubectl('replace', '--subresource=status', '-f', file));
});

test('calicoctl shows what kubectl applied, with no field lost', async () => {
  const list = parse(await printed(calicoctl('get', '-f', all, '-o', 'yaml')));
  assert.deepEqual(
    list.items.map(written),
    objects.map((object) => withDefaults(kindOf(object), object)),
  );
});

test('what calicoctl shows can be applied again and changes nothing', async () => {
  const file = cluster.write('shown.yaml', await printed(calicoctl('get', '-f', all, '-o', 'yaml')));
  const unchanged = objects.map((object) => `${calicoctlName(object)} unchanged\n`).join('');
  assert.equal(await printed(calicoctl('apply', '-f', file)), unchanged);
});

for (const output of ['ps', 'wide']) {
  test(`calicoctl prints a table of every kind: ${output}`, async (context) => {
    const tables = await printed(calicoctl('get', '-f', all, '-o', output));
    context.assert.fileSnapshot(tables, join(data, `tables-${output}.txt`), asItIs);
  });
}

test('calicoctl prints JSON, any columns and templates of every kind', async () => {
  const list = JSON.parse(await printed(calicoctl('get', '-f', all, '-o', 'json')));
  assert.deepEqual(list, parse(await printed(calicoctl('get', '-f', all, '-o', 'yaml'))));
  const columns = await printed(calicoctl('get', '-f', all, '-o', 'custom-columns=NAME,KIND:.kind'));
  const names = objects.map(({ kind, metadata }) => `${metadata.name} ${kind}`);
  const rows = columns.split('\n').filter((line) => line !== '' && !/^NAME +KIND$/.test(line));
  assert.deepEqual(
    rows.map((row) => row.replace(/ +/, ' ')),
    names,
  );
  const template = '{{range .items}}{{.metadata.name}} {{.kind}}{{"\\n"}}{{end}}';
  const expected = names.map((name) => `${name}\n`).join('');
  assert.equal(await printed(calicoctl('get', '-f', all, '-o', `go-template=${template}`)), expected);
  const file = cluster.write('names.tmpl', template);
  assert.equal(await printed(calicoctl('get', '-f', all, '-o', `go-template-file=${file}`)), expected);
});

test('calicoctl finds every kind by its plural and its short names, and an object by its name', async () => {
  const lines = firsts.flatMap((first) => {
    const { plural, shortNames = [] } = kindOf(first);
    return [
      ['get', shortNames.at(-1) ?? first.kind, '-o', 'go-template={{.kind}} {{len .items}}{{"\\n"}}'],
      ['get', plural, first.metadata.name, '-o', 'go-template={{.kind}} {{.metadata.name}}{{"\\n"}}'],
    ];
  });
  const expected = firsts.map(({ kind, metadata }) => {
    const count = objects.filter((object) => object.kind === kind).length;
    return `${kind}List ${count}\n${kind} ${metadata.name}\n`;
  });
  assert.equal(await printed(manyLines(lines)), expected.join(''));
});

test('kubectl prints every kind in each of its outputs, with the columns of the definition', async () => {
  const tables = await printed(kubectl('get', calicoKinds.map(resourceOf).join(',')));
  const headings = tables.split('\n').filter((line) => line.startsWith('NAME '));
  assert.deepEqual(
    headings.map((line) => line.trim().split(/ {2,}/).slice(1)),
    calicoKinds.map(({ columns = [{ name: 'Age' }] }) => columns.map(({ name }) => name.toUpperCase())),
  );
  const names = objects.map((object) => `${kubectlName(object)}\n`).join('');
  assert.equal(await printed(kubectl('get', '-f', all, '-o', 'name')), names);
  const list = JSON.parse(await printed(kubectl('get', '-f', all, '-o', 'json')));
  assert.equal(list.items.length, objects.length);
  assert.deepEqual(parse(await printed(kubectl('get', '-f', all, '-o', 'yaml'))), list);
  const bare = objects.map(({ metadata }) => `${metadata.name}\n`).join('');
  for (const output of [
    'custom-columns=:.metadata.name',
    'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}',
    'go-template={{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}',
  ]) {
    assert.equal((await printed(kubectl('get', '-f', all, '-o', output))).trimStart(), bare, output);
  }
  assert.match(await printed(kubectl('get', '-f', all, '-o', 'wide')), /^ippool\.projectcalico\.org\/x-0 /m);
});

test('calicoctl and kubectl refuse to create what exists', async () => {
  const names = objects.map(calicoctlName);
  const mine = await refusals(calicoctl('create', '-f', all));
  for (const [index, line] of mine.entries()) assert.match(line, /already exists$/, `${names[index]}`);
  assert.equal(mine.length, objects.length);
  const theirs = await refusals(kubectl('create', '-f', all));
  assert.equal(theirs.filter((line) => line.includes('(AlreadyExists)')).length, objects.length);
});

test('a watch of every kind sees each type of patch and the end; a stale revision is refused to both', async () => {
  await using watches = new AsyncDisposableStack();
  const watchOf = new Map<Resource, KubectlWatch>();
  const { items } = JSON.parse(await printed(calicoctl('get', '-f', all, '-o', 'json')));
  const stale = cluster.write('stale.yaml', toYaml(items));
  const environment = cluster.kubectlEnvironment();
  for (const first of firsts) {
    const resource = resourceOf(kindOf(first));
    watchOf.set(first, watches.use(new KubectlWatch(environment, resource, first.metadata.name)));
  }
  for (const first of firsts) assert.equal((await watchOf.get(first)?.next())?.type, 'ADDED', first.kind);
  const patches = firsts.flatMap((first) => {
    const [field, ...values] = changes[first.kind as keyof typeof changes];
    return (['strategic', 'merge', 'json'] as const).map((type, index) => {
      const value = values[index];
      const patch =
        type === 'json' ? [{ op: 'add', path: `/spec/${field}`, value }] : { spec: { [field]: value } };
      const object = [kindOf(first).plural, first.metadata.name];
      return { first, field, value, line: ['patch', ...object, '-t', type, '-p', JSON.stringify(patch)] };
    });
  });
  assert.equal(
    await printed(manyLines(patches.map(({ line }) => line))),
    patches.map(({ first }) => `${calicoctlName(first)} patched\n`).join(''),
  );
  for (const { first, field, value } of patches) {
    const event = await watchOf.get(first)?.next();
    assert.deepEqual([event?.type, event?.object.spec[field]], ['MODIFIED', value], first.kind);
  }
  const conflicts = async (running: Promise<Ran>) => {
    const lines = await refusals(running);
    for (const first of firsts) {
      assert.ok(
        lines.some((line) => line.includes(`"${first.metadata.name}"`) && /modified/.test(line)),
        first.kind,
      );
    }
  };
  await conflicts(calicoctl('replace', '-f', stale));
  await conflicts(kubectl('replace', '-f', stale));
  for (const [type, patch] of [
    ['merge', '{"metadata":{"labels":{"by":"kubectl"}}}'],
    ['json', '[{"op":"remove","path":"/metadata/labels/by"}]'],
  ] as const) {
    const lines = await printed(kubectl('patch', '-f', all, '--type', type, '-p', patch));
    assert.equal(lines, objects.map((object) => `${kubectlName(object)} patched\n`).join(''));
    for (const first of firsts)
      assert.equal((await watchOf.get(first)?.next())?.type, 'MODIFIED', first.kind);
  }
  const strategic = await refusals(
    kubectl('patch', '-f', all, '--type', 'strategic', '-p', '{"metadata":{}}'),
  );
  assert.match(strategic.join('\n'), /strategic-merge-patch\+json is not supported|UnsupportedMediaType/);
  const deleted = objects.map((object) => `${calicoctlName(object)} deleted\n`).join('');
  assert.equal(await printed(calicoctl('delete', '-f', all)), deleted);
  for (const first of firsts) assert.equal((await watchOf.get(first)?.next())?.type, 'DELETED', first.kind);
});

test('calicoctl creates every kind, and kubectl shows and deletes it', async () => {
  assert.equal(
    await printed(calicoctl('create', '-f', all)),
    objects.map((object) => `${calicoctlName(object)} created\n`).join(''),
  );
  const list = JSON.parse(await printed(kubectl('get', '-f', all, '-o', 'json')));
  assert.deepEqual(list.items.map(written), objects.map(asCreated));
  assert.equal((await printed(kubectl('delete', '-f', all))).match(/ deleted$/gm)?.length, objects.length);
  const gone = await refusals(calicoctl('get', '-f', all));
  assert.equal(gone.filter((line) => line.includes('not found')).length, objects.length);
});

test('calicoctl says of every wrong object where it stands, what is there and what would be right', async () => {
  const text = toYaml(everyRefusal.map(({ object }) => object));
  const file = cluster.write('refused.yaml', text);
  const expected = readManifest(text, file)
    .flatMap(({ faults = [] }) => faults.map(describeFault))
    .map((line) => `calicoctl: ${line}`);
  const said = await refusals(calicoctl('create', '-f', file));
  assert.deepEqual(said, expected);
  // Every message that the data expects is among them, with its line and path.
  const messages = everyRefusal.flatMap(({ says }) => says);
  assert.equal(said.length, messages.length);
  for (const [index, message] of messages.entries()) {
    const [, path = '', rest = ''] = /^((?:spec|metadata)[^ ]*)?(.*)$/.exec(message) ?? [];
    const line = said[index] ?? '';
    assert.match(line, /^calicoctl: .*refused\.yaml:\d+: /);
    assert.ok(line.includes(path) && line.endsWith(rest.trim()), `${message}\n${line}`);
  }
});

test('kubectl is told by the server what is wrong with every object that a definition can judge', async (context) => {
  const judged = everyRefusal.filter(({ byServer }) => byServer);
  const file = cluster.write('judged.yaml', toYaml(judged.map(({ object }) => object)));
  const said = await refusals(kubectl('create', '-f', file));
  assert.equal(said.length, judged.length, said.join('\n'));
  context.assert.fileSnapshot(
    `${said.join('\n')}\n`.replaceAll(file, 'FILE'),
    join(data, 'refusals.txt'),
    asItIs,
  );
});
