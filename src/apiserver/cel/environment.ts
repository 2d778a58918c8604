// The CEL environment that every rule starts from: the language, and the function libraries that Kubernetes adds to it.
// Source: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries
import { Environment } from '@marcbachmann/cel-js';
import { registerFormat } from './library/format.ts';
import { registerLists } from './library/lists.ts';
import { registerNetwork } from './library/network.ts';
import { registerOptionals } from './library/optionals.ts';
import { registerPresence } from './library/presence.ts';
import { registerQuantities } from './library/quantity.ts';
import { registerSets } from './library/sets.ts';
import { registerStrings } from './library/strings.ts';
import { registerUrls } from './library/url.ts';

let base: Environment | undefined;

/** A fresh copy to register types and variables in. */
export function kubernetesEnvironment(): Environment {
  base ??= withLibraries();
  return base.clone();
}

function withLibraries(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    // Kubernetes wants the items of a list to be of one type, but for the arguments of "...".format([...]); this option knows
    // no exception.
    homogeneousAggregateLiterals: false,
  });
  const libraries = [
    registerPresence,
    registerStrings,
    registerFormat,
    registerLists,
    registerSets,
    registerNetwork,
    registerUrls,
    registerQuantities,
    registerOptionals,
  ];
  for (const register of libraries) register(environment);
  return environment;
}
