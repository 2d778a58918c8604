// What the demo claims: the policies it applies and, for each stage, which pod may then reach which. The expectation is
// written out by hand in terms of this workload, so that it shares no code and no reasoning with the product.
import type { Channel, Expectation } from '../matrix/matrix.ts';

/** The namespace that the policies are in, and whose pods they select. */
export const isolatedNamespace = 'test';

/** Nothing enters or leaves the pods of namespace "test". Applied through the API server as it stands here. */
export const denyAll = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all, namespace: test}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
`;

/** One hole in it: clients of any namespace reach the port named "http" of the pods labelled app=api. */
export const allowHttp = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: allow-http, namespace: test}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
          podSelector: {matchLabels: {role: client}}
      ports:
        - {protocol: TCP, port: http}
`;

/** Every port that every pod of the sample workload answers on. */
export const channels: readonly Channel[] = [
  { protocol: 'tcp', port: 'http' },
  { protocol: 'tcp', port: 'admin' },
  { protocol: 'udp', port: 'dns' },
  { protocol: 'sctp', port: 'diameter' },
];

export const everythingConnected: Expectation = () => true;

/** A pod's traffic with itself never leaves it, so no policy sees it. */
export const testIsolated: Expectation = (from, to) =>
  from.ip === to.ip || (from.namespace !== 'test' && to.namespace !== 'test');

/** Clients within "test" gain nothing: what they send is still stopped on its way out by deny-all. */
export const testIsolatedButHttp: Expectation = (from, to, channel) =>
  testIsolated(from, to, channel) ||
  (to.namespace === 'test' &&
    to.labels.app === 'api' &&
    from.namespace !== 'test' &&
    from.labels.role === 'client' &&
    channel.protocol === 'tcp' &&
    channel.port === 'http');
