// calico-kube-controllers: runs once per cluster. See src/kube-controllers.
import { accessFromKubeconfig, accessFromPod, KubernetesDatastore } from '../src/datastore/index.ts';
import { KubeControllers, readOptions } from '../src/kube-controllers/index.ts';
import { createLogger, onShutdown } from '../src/process/index.ts';

try {
  const options = readOptions(process.env);
  const log = createLogger('calico-kube-controllers');
  const access = options.kubeconfig ? accessFromKubeconfig(options.kubeconfig) : accessFromPod();
  const datastore = new KubernetesDatastore(access, { onTrouble: (trouble) => log.warn(trouble) });
  const controllers = new KubeControllers(options, process.env, datastore, log);
  onShutdown(() => controllers.stop());
} catch (error) {
  process.stderr.write(
    `calico-kube-controllers cannot start: ${error instanceof Error ? error.message : error}\n`,
  );
  process.exit(1);
}
