// What Kubernetes' own kinds are made of, as far as it is read here: types alone. Their API server judges the rest.
import type { JsonSchema } from '../json-schema.ts';

const text: JsonSchema = { type: 'string' };
const flag: JsonSchema = { type: 'boolean' };
const whole: JsonSchema = { type: 'integer' };
const either: JsonSchema = { 'x-kubernetes-int-or-string': true };
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const map = (additionalProperties: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties });
const object = (properties: Record<string, JsonSchema>, ...required: string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
});

const selector = object({
  matchLabels: map(text),
  matchExpressions: list(object({ key: text, operator: text, values: list(text) }, 'key', 'operator')),
});
const ports = list(object({ protocol: text, port: either, endPort: whole }));
const peers = list(
  object({
    podSelector: selector,
    namespaceSelector: selector,
    ipBlock: object({ cidr: text, except: list(text) }, 'cidr'),
  }),
);
const containers = list(
  object({
    name: text,
    restartPolicy: text,
    ports: list(object({ name: text, containerPort: whole, protocol: text, hostPort: whole })),
  }),
);

/** By the kind's plural. */
export const kubernetesShapes: Readonly<Record<string, JsonSchema>> = {
  pods: object({
    spec: object({
      nodeName: text,
      serviceAccountName: text,
      hostNetwork: flag,
      containers,
      initContainers: containers,
    }),
    status: object({
      phase: text,
      podIP: text,
      podIPs: list(object({ ip: text }, 'ip')),
      conditions: list(object({ type: text, status: text })),
    }),
  }),
  nodes: object({
    spec: object({ podCIDR: text, podCIDRs: list(text), unschedulable: flag }),
    status: object({
      addresses: list(object({ type: text, address: text }, 'type', 'address')),
      conditions: list(object({ type: text, status: text })),
    }),
  }),
  networkpolicies: object({
    spec: object({
      podSelector: selector,
      policyTypes: list(text),
      ingress: list(object({ from: peers, ports })),
      egress: list(object({ to: peers, ports })),
    }),
  }),
  services: object({
    spec: object({
      type: text,
      clusterIP: text,
      clusterIPs: list(text),
      externalIPs: list(text),
      ipFamilies: list(text),
      externalTrafficPolicy: text,
      loadBalancerClass: text,
    }),
    status: object({
      loadBalancer: object({ ingress: list(object({ ip: text, hostname: text })) }),
      conditions: list(object({ type: text, status: text })),
    }),
  }),
  secrets: object({ data: map(text) }),
  leases: object({
    spec: object({
      holderIdentity: text,
      leaseDurationSeconds: whole,
      renewTime: text,
      leaseTransitions: whole,
    }),
  }),
  endpointslices: object({
    addressType: text,
    // The API server writes null where there are none.
    endpoints: {
      ...list(
        object({ addresses: list(text), nodeName: text, conditions: object({ ready: flag }) }, 'addresses'),
      ),
      nullable: true,
    },
    ports: { ...list(object({ name: text, protocol: text, port: whole })), nullable: true },
  }),
};
