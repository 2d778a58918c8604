// `npm run generate:manifests`: what people apply with kubectl, rendered from the chart. With --check it writes nothing, lints the chart,
// tries odd values on it, and ends with 1 when a file or the chart is not what it should be.
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultsOfValues } from './chart-values.ts';
import { helmPath } from './helm.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'charts', 'calico');

// Built without Kubernetes' build tools, helm takes itself for one of years ago.
const kubernetes = '--kube-version=1.34';

interface Variant {
  readonly what: string;
  readonly values: readonly string[];
  /** The one template that it is made of, without definitions. */
  readonly only?: string;
}

/** What each file is, as its first line says, and how its values differ from the chart's. */
const variants: Readonly<Record<string, Variant>> = {
  'calico.yaml': { what: 'pods of different nodes reach each other over VXLAN', values: [] },
  'calico-bgp.yaml': {
    what: 'nodes tell each other by BGP where pods are; no overlay',
    values: ['networking=bgp'],
  },
  'calico-policy-only.yaml': {
    what: "network policy alone; another plugin routes between nodes, addresses come from the node's pod CIDR",
    values: ['networking=none'],
  },
  'calico-policy-admission.yaml': {
    what: 'the API server fills in types and tier labels of policies; for Kubernetes 1.36 and newer',
    values: ['policyAdmission=v1'],
    only: 'templates/policy-admission.yaml',
  },
  'calico-uninstall.yaml': {
    what: 'takes it off every node, once calico-node has been deleted',
    values: ['uninstall=true'],
    only: 'templates/calico-uninstall.yaml',
  },
};

const isCheck = process.argv.includes('--check');
if (isCheck) helm(['lint', '--strict', '--quiet', kubernetes, chart]);
const faults = isCheck
  ? faultsOfValues(readFileSync(join(chart, 'values.yaml'), 'utf8'), (values) =>
      helm(['template', 'calico', chart, kubernetes, '--values=-'], JSON.stringify(values)),
    )
  : [];
const stale = Object.entries(variants).filter(([name, variant]) => {
  const path = join(root, 'manifests', name);
  const text = render(name, variant);
  if (isCheck) return read(path) !== text;
  writeFileSync(path, text);
  return false;
});
if (stale.length > 0) {
  const names = stale.map(([name]) => `manifests/${name}`).join(', ');
  process.stderr.write(
    `calico-ts: ${names} are not what charts/calico says; run "npm run generate:manifests"\n`,
  );
}
for (const fault of faults) process.stderr.write(`calico-ts: ${fault}\n`);
if (stale.length > 0 || faults.length > 0) process.exit(1);

function render(name: string, { what, values, only }: Variant): string {
  const objects = helm([
    'template',
    'calico',
    chart,
    kubernetes,
    '--namespace=calico-system',
    ...(only ? [`--show-only=${only}`] : []),
    ...['namespace.create=true', ...values].map((value) => `--set=${value}`),
  ]).replaceAll(/^# Source: .*\n/gm, '');
  const header = (command: string) =>
    `# Calico: ${what}.\n# ${command} ${name}\n# Rendered from charts/calico; change that.\n`;
  if (only) return `${header('kubectl apply -f')}${objects}`;
  // The namespace first, then the kinds, then what uses either.
  const [namespace = '', ...rest] = objects.split(/^---\n/m).filter((document) => document.trim() !== '');
  const definitions = globSync('manifests/crds/*.yaml', { cwd: root })
    .toSorted()
    .map((file) => readFileSync(join(root, file), 'utf8'));
  const documents = [namespace, ...definitions, ...rest].map((document) => `${document.trim()}\n`);
  return (
    header('Install: kubectl apply --server-side -f') +
    documents
      .map((document) => document.replace(/^---\n/, ''))
      .map((document) => `---\n${document}`)
      .join('')
  );
}

/** What it printed. What it remarks on the link to the definitions is of no use to anybody. @throws Error with what it wrote to stderr */
function helm(args: readonly string[], input = ''): string {
  return execFileSync(helmPath(), args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there: as stale as can be.
    return undefined;
  }
}
