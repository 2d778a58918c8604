// All parameters by their names in FelixConfiguration, and the settings that they add up to.
import type { Parameter } from '../parameter.ts';
import { bpfParameters } from './bpf.ts';
import { dataplaneParameters } from './dataplane.ts';
import { processParameters } from './process.ts';

const parameters = { ...processParameters, ...dataplaneParameters, ...bpfParameters };

export type ParameterName = keyof typeof parameters;

type ValueOf<P> = P extends Parameter<infer T> ? T : never;

/** Every parameter's value, read and within its bounds. */
export type FelixSettings = { readonly [Name in ParameterName]: ValueOf<(typeof parameters)[Name]> };

export const parameterNames = Object.keys(parameters) as ParameterName[];

/** The same tables without the types of their values. */
export const anyParameters: Readonly<Record<ParameterName, Parameter<unknown>>> = parameters;
