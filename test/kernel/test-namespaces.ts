// Network namespaces for one test file: named after the process, gone when the file is done, whatever came of it.

import { execFileSync } from 'node:child_process';
import { after } from 'node:test';
import {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  namespacePath,
  openNamespace,
} from '../../src/kernel/index.ts';

let count = 0;

export interface TestNamespace {
  readonly name: string;
  readonly fd: number;
}

/** Makes a namespace that `after` removes. Call it while a test file is loading, or inside a test. */
export function testNamespace(label: string): TestNamespace {
  const name = `calico-test-${process.pid}-${++count}-${label}`;
  createNamespace(name);
  const fd = openNamespace(namespacePath(name));
  after(() => {
    closeNamespace(fd);
    deleteNamespace(name);
  });
  return { name, fd };
}

/** Runs ip(8) inside a namespace: the tests' other eyes, and other hands. */
export function ip(namespace: TestNamespace, ...args: string[]): string {
  return execFileSync('ip', ['-n', namespace.name, ...args], { encoding: 'utf8' });
}

/** What ip(8) lists, as the objects of its JSON. */
export function ipJson(namespace: TestNamespace, ...args: string[]): Record<string, unknown>[] {
  const text = ip(namespace, '-j', ...args);
  return text.trim() === ''
    ? []
    : (JSON.parse(text) as Record<string, unknown>[]).filter((o) => Object.keys(o).length > 0);
}
