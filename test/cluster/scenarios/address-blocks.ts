// Truth tables of ipBlock, which need the addresses that the pods were given.
import type { Case, Party } from './truth-table.ts';

/** `addressOf` tells a pod's address by "x/a". */
export function blockCases(addressOf: (party: string) => string): readonly Case[] {
  const is = ({ ns, pod }: Party, name: string) => `${ns}/${pod}` === name;
  const toA = { podSelector: { matchLabels: { pod: 'a' } } };
  const alone = (party: string) => `${addressOf(party)}/32`;
  const everything = '0.0.0.0/0';
  const ingress = (...from: object[]) => ({
    name: 'p',
    namespace: 'x',
    spec: { ...toA, policyTypes: ['Ingress'], ingress: [{ from }] },
  });
  const egress = (...to: object[]) => ({
    name: 'p',
    namespace: 'x',
    spec: { ...toA, policyTypes: ['Egress'], egress: [{ to }] },
  });
  const same = (from: Party, to: Party) => from.ns === to.ns && from.pod === to.pod;
  return [
    {
      name: 'from an address',
      steps: [
        {
          policies: [ingress({ ipBlock: { cidr: alone('y/b') } })],
          reaches: (from, to) => same(from, to) || !is(to, 'x/a') || is(from, 'y/b'),
        },
      ],
    },
    {
      name: 'from everywhere but an address',
      steps: [
        {
          policies: [ingress({ ipBlock: { cidr: everything, except: [alone('y/b')] } })],
          reaches: (from, to) => !is(to, 'x/a') || !is(from, 'y/b'),
        },
      ],
    },
    {
      name: 'an address that one block excepts and another names',
      steps: [
        {
          policies: [
            ingress(
              { ipBlock: { cidr: everything, except: [alone('y/b'), alone('z/c')] } },
              { ipBlock: { cidr: alone('y/b') } },
            ),
          ],
          reaches: (from, to) => !is(to, 'x/a') || !is(from, 'z/c'),
        },
      ],
    },
    {
      name: 'egress to an address',
      steps: [
        {
          policies: [egress({ ipBlock: { cidr: alone('y/b') } })],
          reaches: (from, to) => same(from, to) || !is(from, 'x/a') || is(to, 'y/b'),
        },
      ],
    },
    {
      name: 'egress to everywhere but an address',
      steps: [
        {
          policies: [egress({ ipBlock: { cidr: everything, except: [alone('y/b')] } })],
          reaches: (from, to) => !is(from, 'x/a') || !is(to, 'y/b'),
        },
      ],
    },
  ];
}
