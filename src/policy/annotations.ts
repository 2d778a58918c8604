// The names of annotations that policy reads on pods.

/** Annotations by which the CNI plugin tells every node a pod's addresses, sooner than the kubelet writes them into the status. */
export const podAnnotations = {
  podIp: 'cni.projectcalico.org/podIP',
  podIps: 'cni.projectcalico.org/podIPs',
  containerId: 'cni.projectcalico.org/containerID',
} as const;
