// Whether the container runtime finds Calico's plugin, and every other that Calico's configuration calls.
import type { Check } from '../finding.ts';
import type { NodeFacts } from '../node-facts.ts';

/** Those that install-cni brings; all others must be on the node already. */
const installed = ['calico', 'calico-ipam'];

export const cniInstalled: Check<NodeFacts> = {
  name: 'cni-not-installed',
  asks: "Calico's CNI plugin and its configuration are in place and come first, and so are the plugins that it calls",
  look: ({ node, cni }) => {
    // In calico-node's container the node's folders lie below /host, and people have no /host.
    const folder = cni.folder.replace(/^\/host(?=\/)/, '');
    const where = `node "${node}", ${folder}`;
    const again = `Let install-cni run again: kubectl -n calico-system delete pod -l k8s-app=calico-node --field-selector spec.nodeName=${node}`;
    const ours = cni.configurations.filter(({ plugins }) => plugins.includes('calico'));
    const [own] = ours;
    const [first] = cni.configurations;
    const isMissing = (name: string) => !cni.plugins.includes(name);
    const missing = installed.filter(isMissing);
    const called = own ? [...own.plugins, ...(own.ipam === undefined ? [] : [own.ipam])] : [];
    const missingOthers = [...new Set(called)].filter((name) => !installed.includes(name) && isMissing(name));
    const pluginFolder = cni.pluginFolder.replace(/^\/host(?=\/)/, '');
    const why = 'Setting up a pod fails with "failed to find plugin"';
    return [
      ...(own
        ? []
        : [
            {
              severity: 'error' as const,
              what: 'No CNI configuration names Calico',
              where,
              why: 'The container runtime gives new pods no network, or that of another plugin',
              remedy: again,
            },
          ]),
      ...(own && first && first !== own
        ? [
            {
              severity: 'error' as const,
              what: `"${first.file}" comes before Calico's "${own.file}"`,
              where,
              why: first.fault
                ? `No runtime can read it (${first.fault}), and containerd takes the first by name and gives no pod a network`
                : `The container runtime takes the first by name, so new pods get the network of ${first.plugins.join(', ')}`,
              remedy: `If that network is not wanted any more, remove it on the node: rm ${folder}/${first.file}`,
            },
          ]
        : []),
      ...(ours.length > 1
        ? [
            {
              severity: 'error' as const,
              what: `${ours.map(({ file }) => `"${file}"`).join(' and ')} both name Calico`,
              where,
              why: 'The container runtime takes the first by name; install-cni writes one of them, and another installation has left the other',
              remedy: `Remove the one that is not of this installation, whose name is CNI_CONF_NAME of the DaemonSet, and else 10-calico.conflist: rm ${folder}/FILE`,
            },
          ]
        : []),
      ...(missing.length > 0
        ? [
            {
              severity: 'error' as const,
              what: `The CNI plugin ${list(missing)} is missing`,
              where: `node "${node}", ${pluginFolder}`,
              why,
              remedy: `${again}; with SKIP_CNI_BINARIES unset`,
            },
          ]
        : []),
      ...(own && missingOthers.length > 0
        ? [
            {
              severity: 'error' as const,
              what: `"${own.file}" calls the CNI plugin ${list(missingOthers)}, which is missing`,
              where: `node "${node}", ${pluginFolder}`,
              why,
              remedy: `Put it there: the distribution's package containernetworking-plugins has it (copy or link it out of /usr/lib/cni or /usr/libexec/cni), so has Kubernetes' own package kubernetes-cni, and the archive at https://github.com/containernetworking/plugins/releases; or take it out of the configuration (cni_network_config in the ConfigMap calico-config, cni.chained of the chart)`,
            },
          ]
        : []),
    ];
  },
};

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' and ');
}
