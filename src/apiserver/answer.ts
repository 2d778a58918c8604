// What the tests read of the server's answers. Not every answer has every field; an assertion on a missing one fails.
import type { JsonObject } from './json.ts';

interface Named {
  readonly name: string;
}

interface Metadata extends Named {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp: string;
  readonly deletionGracePeriodSeconds: number;
  readonly generation: number;
  readonly managedFields: readonly JsonObject[];
  readonly labels: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
  readonly continue: string;
  readonly remainingItemCount: number;
}

export interface AnswerBody {
  readonly kind: string;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly metadata: Metadata;
  readonly data: { readonly [key: string]: string };
  readonly spec: {
    readonly bogus?: number;
    readonly nodeName?: string;
    readonly clusterIP: string;
    readonly policyTypes: readonly string[];
    readonly egress: readonly { readonly ports: readonly JsonObject[] }[];
    readonly containers: readonly (Named & { readonly image: string })[];
    readonly ports: readonly { readonly port: number }[];
    readonly finalizers: readonly string[];
  };
  readonly status: {
    readonly phase: string;
    readonly allowed: boolean;
    readonly userInfo: { readonly groups: readonly string[] };
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
  readonly items: readonly AnswerBody[];
  readonly details: {
    readonly causes: readonly { readonly field: string; readonly reason: string; readonly message: string }[];
  };
  readonly resources: readonly Named[];
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}
