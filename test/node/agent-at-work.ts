// What tests ask of a real agent: that it takes pods and lets them go, and says what keeps it from something.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CniError } from '../../src/lab/kubelet/cni.ts';
import { nodeRoot } from '../../src/lab/run/run.ts';
import type { Agents, Sandbox } from '../../torture/agents/agents.ts';

const patienceMs = 60_000;
const lookMs = 50;

export function logOf(agents: Agents, node: string): string {
  return readFileSync(join(nodeRoot(agents.run, node), 'log', 'calico-node.log'), 'utf8');
}

/** @throws Error with the log when it does not become true in a minute */
export async function until(isTrue: () => boolean, what: string, log: () => string): Promise<void> {
  for (const start = Date.now(); !isTrue(); await delay(lookMs)) {
    if (Date.now() - start > patienceMs) throw new Error(`Waited ${patienceMs} ms for ${what}:\n${log()}`);
  }
}

/** ADD, asked again as a runtime does, and DEL. Returns the addresses. */
export async function takePod(agents: Agents, node: string, name: string): Promise<string[]> {
  const pod = await agents.createPod(name, node);
  const namespacePath = agents.makePodNamespace(name);
  const sandbox: Sandbox = { pod, node, namespacePath, containerId: randomBytes(32).toString('hex') };
  const addresses = await addPod(agents, sandbox);
  await agents.call('DEL', sandbox);
  return addresses;
}

/** ADD, asked again as a runtime does. Returns the addresses. */
export async function addPod(agents: Agents, sandbox: Sandbox): Promise<string[]> {
  for (const start = Date.now(); ; await delay(lookMs)) {
    try {
      return await agents.call('ADD', sandbox);
    } catch (error) {
      if (!(error instanceof CniError) || Date.now() - start > patienceMs) throw error;
    }
  }
}
