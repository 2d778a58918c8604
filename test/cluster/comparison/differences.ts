// Where the embedded server answers otherwise than the real one and is left to, and why.
import { asked, type Step } from './case.ts';

interface Difference {
  /** Why it is left. */
  readonly why: string;
  /** The names of cases, and what the steps of theirs that differ have in what they ask. */
  readonly steps: { readonly [name: string]: readonly string[] };
  /** Where it is the real server that answers otherwise on another machine. */
  readonly mayAgree?: boolean;
}

export const differences: readonly Difference[] = [
  {
    why: "the words are those of Go's decoders about their own types and syntax",
    steps: {
      'requests that apply, and what they must say': ['not: [yaml'],
      'applying by the server': ['"order":"x"'],
      'patches of three types': [`patch configmap patched --type=merge -p '{"kind":"Secret"}'`],
      'wrong types in built-in kinds': ['kubectl create'],
      'bodies that are none': ['"kind":"List"'],
      'other built-in objects that are wrong': ['not base64!'],
      'services that are wrong': ['"wrong-4"'],
    },
  },
  {
    why: 'the fault is found and named, with fewer of its consequences',
    steps: {
      'bodies that are none': ['"projectcalico.org/v4"'],
      'what of a pod may change': ['"dnsPolicy":"Nonsense"'],
    },
  },
  {
    why: 'a list in which there is nothing is as good as none, before anybody judges it',
    steps: { 'definitions that are wrong': ['"versions":[]'] },
  },
  {
    why: 'no admission plugin judges or completes pods and nodes here',
    steps: {
      'pods that are wrong': ['"serviceAccountName":"missing"'],
      'built-in kinds in tables': [
        'get node tabled -o yaml',
        'get pod tabled -o yaml',
        'describe node tabled',
        'describe pod tabled',
      ],
    },
  },
  {
    why: 'the real server names the certificate by which it knows who asks, and here a token is all that there is',
    steps: { 'what there is': ['auth whoami <<<'] },
  },
  {
    why: 'a custom object is made in its collection, and its name is not posted to',
    steps: { 'methods that are not there': ['POST /apis/projectcalico.org/v3/globalnetworkpolicies/none {'] },
  },
  {
    why: "the texts are those of Kubernetes' own types, which are not carried along",
    steps: { explaining: ['explain ippool <<<', 'ippool --recursive', 'ippool.metadata.name'] },
  },
  {
    why: 'nothing is answered in protobuf; who takes it takes JSON as well',
    steps: {
      'what a server may be asked to answer in': [
        '"application/vnd.kubernetes.protobuf"}',
        'missing {"Accept":"application/vnd.kubernetes.protobuf,',
      ],
    },
  },
  {
    why: 'the real server names owners of metadata that it has not taken',
    steps: { 'patches of a status': ['get ippool with-status'] },
  },
  {
    why: 'nothing collects what an owner leaves behind',
    steps: { propagation: ['dependent'] },
  },
  {
    why: 'a revision that is yet to come has expired at once, so that who knows another database lists anew',
    steps: { 'what a watch begins with': ['resourceVersion=999999999'] },
  },
  {
    why: 'the real server lists by a watch only where etcd says on demand how far it has come, which it does from 3.4.25 on',
    steps: { 'what a watch begins with': ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan'] },
    mayAgree: true,
  },
  {
    why: 'what happened since is told for as long as it is known, also from before the kind was there',
    steps: {
      'what a watch begins with': ['globalnetworkpolicies?watch=true&timeoutSeconds=2&resourceVersion=1&'],
    },
  },
  {
    why: 'long lines of YAML are folded elsewhere',
    steps: { 'what a watch begins with': ['application/yaml'] },
  },
];

/** What lets a step of a case differ; undefined where both servers must agree. */
export function differenceOf(name: string, step: Step): Difference | undefined {
  const text = asked(step);
  return differences.find(({ steps }) => steps[name]?.some((part) => text.includes(part)));
}
