// `calico-lab status`: nodes, agents and pods as a table.
import { askControl } from './control.ts';
import { findRun } from './run/run.ts';
import { say, sayTable } from './terminal.ts';

/** 0 when the cluster is up and every node is ready, 1 otherwise. */
export async function showStatus(id: string): Promise<number> {
  const run = findRun(id);
  if (!run) {
    say(`There is no cluster "${id}"; "calico-lab up" makes one`);
    return 1;
  }
  const status = await askControl(run, 'status', {});
  const ready = status.nodes.filter((node) => node.ready).length;
  say(
    `Cluster "${id}": ${ready} of ${status.nodes.length} nodes ready, ${status.pods.length} pods, API server ${status.server}`,
  );
  say(`export KUBECONFIG=${status.kubeconfig}`);
  say();
  sayTable(
    ['NODE', 'ADDRESS', 'READY', 'CALICO-NODE', 'RESTARTS', 'PODS'],
    status.nodes.map((node) => [
      node.name,
      node.address,
      node.ready ? 'yes' : 'no',
      node.agentPid === undefined ? 'not running' : `pid ${node.agentPid}`,
      String(node.agentRestarts),
      String(node.pods),
    ]),
  );
  say();
  sayTable(
    ['NAMESPACE', 'POD', 'NODE', 'ADDRESS', 'PORTS'],
    status.pods.map((pod) => [
      pod.namespace,
      pod.name,
      pod.node,
      pod.ip,
      pod.ports.map(({ name, protocol, port }) => `${name}=${port}/${protocol}`).join(' '),
    ]),
  );
  return ready === status.nodes.length ? 0 : 1;
}
