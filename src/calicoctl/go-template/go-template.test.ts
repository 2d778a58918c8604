import assert from 'node:assert/strict';
import { test } from 'node:test';
import { executeTemplate } from './index.ts';

const data = {
  metadata: { name: 'a', labels: { app: 'web', tier: 'front' } },
  spec: {
    nets: ['10.0.0.0/8', 'fd00::/8'],
    order: 10,
    ratio: 1.5,
    empty: [],
    isOn: true,
    off: false,
    ipipMode: 'Never',
  },
};

/** What Go's text/template prints for the same data, decoded from JSON into maps. */
const cases: readonly (readonly [what: string, template: string, output: string])[] = [
  ['text as it is', 'a\nb', 'a\nb'],
  ['a field', '{{.metadata.name}}', 'a'],
  ["a field under the name of Go's struct", '{{.ObjectMeta.Name}} {{.Spec.IPIPMode}}', 'a Never'],
  ['what is missing', '{{.spec.nothing}}', '<no value>'],
  ['a list', '{{.spec.nets}}', '[10.0.0.0/8 fd00::/8]'],
  ['a map, by its keys', '{{.metadata.labels}}', 'map[app:web tier:front]'],
  ['a range', '{{range .spec.nets}}<{{.}}>{{end}}', '<10.0.0.0/8><fd00::/8>'],
  [
    'a range with index and element',
    '{{range $i, $net := .spec.nets}}{{$i}}={{$net}};{{end}}',
    '0=10.0.0.0/8;1=fd00::/8;',
  ],
  [
    'a range over a map',
    '{{range $key, $value := .metadata.labels}}{{$key}}:{{$value}} {{end}}',
    'app:web tier:front ',
  ],
  ['the other branch of an empty range', '{{range .spec.empty}}x{{else}}none{{end}}', 'none'],
  [
    'break and continue',
    '{{range .spec.nets}}{{if eq . "fd00::/8"}}{{break}}{{end}}{{.}}{{end}}',
    '10.0.0.0/8',
  ],
  ['continue', '{{range .spec.nets}}{{if eq . "10.0.0.0/8"}}{{continue}}{{end}}{{.}}{{end}}', 'fd00::/8'],
  ['the whole data inside of a range', '{{range .spec.nets}}{{$.metadata.name}}{{end}}', 'aa'],
  ['if', '{{if .spec.isOn}}on{{else}}off{{end}}', 'on'],
  ['else if', '{{if .spec.off}}1{{else if .spec.isOn}}2{{else}}3{{end}}', '2'],
  ['with', '{{with .metadata}}{{.name}}{{end}}{{with .spec.empty}}x{{else}}y{{end}}', 'ay'],
  ['a variable that is changed', '{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
  ['a variable of an inner block', '{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '21'],
  ['trimmed white space', 'a \n {{- .metadata.name -}} \n b', 'aab'],
  ['a comment', 'a{{/* }} nothing */}}b', 'ab'],
  ['quotes with braces', '{{"}}"}}', '}}'],
  ['index', '{{index .spec.nets 1}} {{index .metadata.labels "app"}}', 'fd00::/8 web'],
  ['len', '{{len .spec.nets}} {{len .metadata.name}}', '2 1'],
  [
    'comparisons',
    '{{eq 1 1}} {{ne 1 1}} {{lt 1 2}} {{ge .spec.order 10}} {{eq "b" "a" "b"}}',
    'true false true true true',
  ],
  ['and, or, not', '{{and 1 0}} {{or "" "x"}} {{not true}}', '0 x false'],
  [
    'and, which stops at what decides',
    '{{if and .spec.nothing (index .spec.nothing 0)}}x{{else}}y{{end}}',
    'y',
  ],
  ['a pipeline', '{{.metadata.name | printf "%s-%s" "b"}}', 'b-a'],
  ['parentheses with a field behind', '{{(index .list 0).x}}', '7'],
  [
    'printf',
    '{{printf "%-4s|%4d|%05.1f|%q|%v|%t|%%" "a" 7 1.26 "q" .spec.empty true}}',
    'a   |   7|001.3|"q"|[]|true|%',
  ],
  ['printf with too few arguments', '{{printf "%s %s" "a"}}', 'a %!s(MISSING)'],
  ['print and println', '{{print "a" 1}}{{println "b" 2}}', 'a1b 2\n'],
  ['join', '{{join .spec.nets ","}}', '10.0.0.0/8,fd00::/8'],
  ['slice', '{{slice .metadata.name 0 1}}{{slice .spec.nets 1}}', 'a[fd00::/8]'],
];

for (const [what, template, output] of cases) {
  test(`a template prints ${what} as Go does`, () => {
    assert.equal(executeTemplate(template, { ...data, list: [{ x: 7 }] }), output);
  });
}

const faults: readonly (readonly [what: string, template: string, message: RegExp])[] = [
  ['an action that is not closed', 'a\n{{.x', /^line 2: "\{\{" is not closed$/],
  ['a block that is not closed', '{{if .x}}', /^line 1: "if" has no end$/],
  ['an end without a beginning', '{{end}}', /^line 1: "end" has no beginning$/],
  ['a function that there is none of', '\n{{frob 1}}', /^line 2: function "frob" is not defined$/],
  ['a variable that there is none of', '{{$x}}', /^line 1: undefined variable "\$x"$/],
  ['an index out of range', '{{index .spec.nets 9}}', /index 9 is out of range of a list of 2/],
  ['a field of a text', '{{.metadata.name.first}}', /cannot evaluate field "first" of "a"/],
  ['a break outside of a range', '{{break}}', /^line 1: "break" stands outside of a range$/],
  ['arguments of what is no function', '{{.metadata 1}}', /only a function takes arguments/],
];

for (const [what, template, message] of faults) {
  test(`a template with ${what} is refused with its line`, () => {
    assert.throws(() => executeTemplate(template, data), { name: 'TemplateError', message });
  });
}
