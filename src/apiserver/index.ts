// The door of the apiserver room: the embedded Kubernetes-style API server.
export { type ApiServer, startApiServer } from './start.ts';
