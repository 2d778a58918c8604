// Loaded before every test: property tests draw from one seed, so that a run can be repeated and the gate does not depend on
// luck. CALICO_TEST_SEED chooses another; long searches are for `npm run fuzz`.
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.CALICO_TEST_SEED ?? 20261123) });
