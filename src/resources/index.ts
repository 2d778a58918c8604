// The door of the resources room: every kind that the programs know, and what they say of it.
export * from './kubernetes/namespace.ts';
export * from './kubernetes/network-policy.ts';
export * from './kubernetes/node.ts';
export * from './kubernetes/pod.ts';
export * from './kubernetes/service-account.ts';
export * from './resource.ts';
