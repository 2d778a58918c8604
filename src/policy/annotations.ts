// The names of annotations that policy reads on pods.

/**
 * By the first three the CNI plugin tells every node a pod's addresses, sooner than the kubelet writes them into the status; the
 * others are what users ask for.
 */
export const podAnnotations = {
  podIp: 'cni.projectcalico.org/podIP',
  podIps: 'cni.projectcalico.org/podIPs',
  containerId: 'cni.projectcalico.org/containerID',
  allowedSourcePrefixes: 'cni.projectcalico.org/allowedSourcePrefixes',
  floatingIps: 'cni.projectcalico.org/floatingIPs',
} as const;
