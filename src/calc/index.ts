// The door of the calc room: what this node's kernel shall hold, calculated from the cluster's objects. Pure.
export { Calculator, type CalculatorOptions } from './calculator.ts';
export * from './desired-state.ts';
export { interfaceNameOf } from './interface-name.ts';
export { type Connection, interpret } from './interpret.ts';
export { interpretCrossing } from './interpret-crossing.ts';
export { tunnelMac } from './tunnel-rivals.ts';
export { workloadKey } from './workloads.ts';
