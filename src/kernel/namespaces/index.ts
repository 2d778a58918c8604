// Network namespaces: find, make, enter, configure.
export { inNamespace, inNewNamespace, ownNamespace } from './in-namespace.ts';
export {
  closeNamespace,
  createNamespace,
  deleteNamespace,
  namespacePath,
  openNamespace,
} from './named-namespace.ts';
export { readSysctl, writeSysctls } from './sysctl.ts';
