// The door of the apiserver room: the embedded Kubernetes-style API server.
export { type ApiServer, type ApiServerOptions, type ListenAt, startApiServer } from './start.ts';
