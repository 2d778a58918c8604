// Objects that the cases make, as small as they may be.

interface Metadata {
  readonly [field: string]: unknown;
}

export function policy(name: string, spec: object = {}, metadata: Metadata = {}) {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name, ...metadata },
    spec: { selector: 'all()', ...spec },
  };
}

export function pool(name: string, cidr: string, spec: object = {}) {
  return { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec: { cidr, ...spec } };
}

export function configMap(name: string, data: object = {}, metadata: Metadata = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function namespace(name: string, metadata: Metadata = {}) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } };
}

export function service(name: string, spec: object = {}, metadata: Metadata = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, ...metadata },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

/** One that mounts no token, so that no admission adds a volume. */
export function pod(name: string, spec: object = {}, metadata: Metadata = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'web', image: 'example.com/web:1' }],
      ...spec,
    },
  };
}

export function networkPolicy(name: string, spec: object = {}, metadata: Metadata = {}) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, ...metadata },
    spec: { podSelector: {}, ...spec },
  };
}

export function endpointSlice(name: string, fields: object = {}) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.1'] }],
    ports: [{ port: 80 }],
    ...fields,
  };
}

export function lease(name: string, spec: object = {}) {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec };
}

export function node(name: string, fields: object = {}, metadata: Metadata = {}) {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, ...metadata }, ...fields };
}
