import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import { compileRules } from './rule-tree.ts';
import { validateRules } from './validate.ts';

const string: Schema = { type: 'string' };
const schema: Schema = {
  type: 'object',
  properties: {
    text: string,
    count: { type: 'integer' },
    ratio: { type: 'number' },
    flag: { type: 'boolean' },
    absent: string,
    port: { 'x-kubernetes-int-or-string': true },
    since: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    secret: { type: 'string', format: 'byte' },
    maybe: { type: 'string', nullable: true },
    names: { type: 'array', items: string },
    tags: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
    numbers: { type: 'array', items: { type: 'integer' } },
    parts: {
      type: 'array',
      items: { type: 'object', properties: { name: string, size: { type: 'integer' } } },
    },
    labels: { type: 'object', additionalProperties: string },
    limits: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { max: { type: 'integer' } } },
    },
    deep: { type: 'object', properties: { er: { type: 'object', properties: { name: string } } } },
    namespace: string,
    'x-prop': string,
    a__b: string,
    free: { 'x-kubernetes-preserve-unknown-fields': true },
  },
};

const object = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w', labels: { a: 'b' } },
  text: 'hello world',
  count: 3,
  ratio: 2,
  flag: true,
  port: 'http',
  since: '2024-02-29T12:00:00Z',
  wait: '1h30m',
  secret: 'AQI=',
  maybe: null,
  names: ['a', 'b', 'c'],
  tags: ['x', 'y'],
  numbers: [1, 2, 3],
  parts: [
    { name: 'one', size: 1 },
    { name: 'two', size: 2 },
  ],
  labels: { app: 'web', 'a.b/c-d': 'e' },
  limits: { cpu: { max: 4 } },
  deep: { er: { name: 'inner' } },
  namespace: 'n',
  'x-prop': 'x',
  a__b: 'u',
  free: { any: [1, { thing: true }] },
} satisfies Json;

/** The words of the only fault, or undefined when the rule holds. */
function breach(rule: string): string | undefined {
  const { root, faults } = compileRules(
    { ...schema, 'x-kubernetes-validations': [{ rule, message: 'does not hold' }] },
    'schema',
  );
  assert.deepEqual(faults, []);
  assert.ok(root);
  return validateRules(root, object, undefined)[0]?.message;
}

const holds: Readonly<Record<string, readonly string[]>> = {
  'comparison and arithmetic': [
    'self.count == 3 && self.count < 4 && self.count + 1 == 4 && -self.count == -3',
    'self.ratio == 2.0 && self.ratio > 1.5 && self.count > 2.5',
    '7 / 2 == 3 && -7 / 2 == -3 && 7 % 2 == 1 && double(7) / 2.0 == 3.5',
    'self.flag ? self.text == "hello world" : false',
    'self.deep == self.deep && self.parts[0] != self.parts[1]',
  ],
  presence: [
    'has(self.text) && !has(self.absent) && has(self.deep.er.name) && has(self.metadata.name)',
    'self.?absent.orValue("none") == "none" && self.?deep.?er.?name.orValue("") == "inner"',
    'self.labels[?"app"].hasValue() && !self.labels[?"db"].hasValue()',
    'optional.ofNonZeroValue(self.text).hasValue() && !optional.ofNonZeroValue("").hasValue()',
    'self.maybe == null',
    'has(self.parts[0].name) && has(self.limits["cpu"].max) && self.parts.all(p, has(p.name))',
    '!has(self.free.nothing) && has(self.free.any) && has(self.labels.app) && !has(self.labels.db)',
  ],
  macros: [
    'self.names.all(n, n in ["a", "b", "c"]) && self.names.exists(n, n == "b")',
    'self.names.exists_one(n, n == "c") && !self.names.exists_one(n, n != "c")',
    'self.parts.map(p, p.size) == [1, 2] && self.parts.filter(p, p.size > 1)[0].name == "two"',
    'self.parts.map(p, p.size > 1, p.name) == ["two"]',
    'self.labels.all(k, k.contains("a")) && self.limits.exists(k, self.limits[k].max == 4)',
    'self.parts.all(p, has(p.name) && self.parts.exists_one(q, q.name == p.name))',
  ],
  'an error that another operand outweighs': [
    'self.flag || self.absent == "x"',
    'self.absent == "x" || self.flag',
    '!(self.absent == "x" && !self.flag)',
    'self.names.exists(n, n == "b" || self.absent == n)',
  ],
  'maps and sets': [
    '"app" in self.labels && self.labels["a.b/c-d"] == "e" && size(self.labels) == 2',
    'self.labels == {"a.b/c-d": "e", "app": "web"}',
    'self.tags == ["y", "x"] && "x" in self.tags && self.tags.size() == 2 && self.tags.all(t, t != "z")',
    'self.tags.join(",") == "x,y" && self.tags[1] == "y" && self.tags.map(t, t + "1") == ["x1", "y1"]',
    'self.tags.indexOf("y") == 1 && self.tags.isSorted() && self.tags.max() == "y"',
    'sets.contains(self.names, ["b"]) && sets.equivalent(self.tags, ["y", "x", "x"])',
    'sets.intersects(self.names, ["z", "c"]) && !sets.intersects(self.names, ["z"])',
  ],
  'typed strings': [
    'self.since < timestamp("2024-03-01T00:00:00Z") && self.since.getMonth() == 1',
    'self.wait == duration("90m") && self.wait > duration("1h") && self.wait.getMinutes() == 90',
    'self.secret.size() == 2 && self.secret == b"\\x01\\x02"',
    'self.port == "http" && self.port != 80 && type(self.port) == string',
    'self.free.any[0] == 1 && self.free.any[1].thing',
  ],
  'names of fields': [
    'self.__namespace__ == "n" && self.x__dash__prop == "x" && self.a__underscores__b == "u"',
    'self.apiVersion == "example.com/v1" && self.kind == "Widget" && self.metadata.name == "w"',
  ],
  strings: [
    'self.text.startsWith("hello") && self.text.endsWith("world") && self.text.matches("^[a-z ]+$")',
    'self.text.matches("(?i)^HELLO") && !self.text.matches("^WORLD") && (self.text).matches("matches|w.rld")',
    'self.text.matches("\\\\Ahello [[:alpha:]]+\\\\z") && !self.text.matches("^[[:digit:][:space:]]+$")',
    'self.names.all(n, n.matches("^[a-c]$")) && "matches(x)".matches("matches") && "has(x)" != ""',
    'self.text.charAt(4) == "o" && self.text.indexOf("o") == 4 && self.text.lastIndexOf("o") == 7',
    'self.text.replace("o", "0") == "hell0 w0rld" && self.text.replace("o", "0", 1) == "hell0 world"',
    'self.text.split(" ") == ["hello", "world"] && self.text.split(" ").join("-") == "hello-world"',
    'self.text.substring(6) == "world" && self.text.substring(0, 4) == "hell" && " x ".trim() == "x"',
    'self.text.upperAscii() == "HELLO WORLD" && "ABC".lowerAscii() == "abc" && "abc".reverse() == "cba"',
    'self.text.find("[aeiou]") == "e" && self.text.find("[0-9]") == ""',
    'self.text.findAll("[aeiou]") == ["e", "o", "o"] && self.text.findAll("[aeiou]", 2) == ["e", "o"]',
    '"%s has %d of %.1f in %s".format(["x", 3, 2.5, [1, 2]]) == "x has 3 of 2.5 in [1, 2]"',
    '"%x%%%b".format([255, 5]) == "ff%101"',
  ],
  lists: [
    'self.numbers.isSorted() && ![2, 1].isSorted() && self.names.isSorted()',
    'self.numbers.sum() == 6 && self.numbers.min() == 1 && self.numbers.max() == 3 && [1.5, 2.0].sum() == 3.5',
    '["a", "b", "a"].indexOf("a") == 0 && ["a", "b", "a"].lastIndexOf("a") == 2 && self.numbers.indexOf(9) == -1',
    '[duration("1m"), duration("2m")].sum() == duration("3m") && self.names.max() == "c"',
    'self.parts.map(p, p.size).sum() == 3',
  ],
  addresses: [
    'isIP("10.0.0.1") && isIP("::1") && !isIP("10.0.0.1/8") && !isIP("::ffff:10.0.0.1") && !isIP("fe80::1%eth0")',
    'ip("10.0.0.1").family() == 4 && ip("::1").family() == 6 && ip("::1") == ip("0:0::1") && ip("::1") != ip("::2")',
    'ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1") && string(ip("0::1")) == "::1"',
    'ip("127.0.0.1").isLoopback() && ip("0.0.0.0").isUnspecified() && ip("fe80::1").isLinkLocalUnicast()',
    'ip("224.0.0.1").isLinkLocalMulticast() && ip("10.0.0.1").isGlobalUnicast() && !ip("ff02::1").isGlobalUnicast()',
    'isCIDR("10.0.0.1/8") && !isCIDR("10.0.0.1") && !isCIDR("10.0.0.0/33") && isCIDR("::/0")',
    'cidr("10.1.0.0/16").containsIP("10.1.2.3") && !cidr("10.1.0.0/16").containsIP(ip("10.2.0.1"))',
    'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && !cidr("10.1.0.0/16").containsCIDR(cidr("10.0.0.0/8"))',
    'cidr("10.0.0.1/8").ip() == ip("10.0.0.1") && cidr("10.0.0.1/8").prefixLength() == 8',
    'cidr("10.0.0.1/8").masked() == cidr("10.0.0.0/8") && cidr("10.0.0.1/8") != cidr("10.0.0.0/8")',
    '!cidr("::/0").containsIP("10.0.0.1") && string(cidr("10.0.0.1/8").masked()) == "10.0.0.0/8"',
  ],
  'URLs and quantities': [
    'isURL("https://[::1]:80/a?b=c") && isURL("/a/b") && !isURL("a/b") && !isURL("https://a b/")',
    'url("https://example.com:80/p?k=1&k=2").getHost() == "example.com:80" && url("https://[::1]:80/").getHostname() == "::1"',
    'url("https://example.com:80/p?k=1&k=2").getQuery() == {"k": ["1", "2"]} && url("https://a/b c".replace(" ", "%20")).getEscapedPath() == "/b%20c"',
    'url("https://a:1/").getPort() == "1" && url("HTTPS://a/").getScheme() == "https"',
    'isQuantity("1.5Gi") && !isQuantity("1.5Gib") && quantity("1Ki").asInteger() == 1024',
    'quantity("1500m") == quantity("1.5") && quantity("1e3").compareTo(quantity("1k")) == 0',
    'quantity("1").add(quantity("500m")).isGreaterThan(quantity("1")) && quantity("2").sub(3).sign() == -1',
    '!quantity("1.5").isInteger() && quantity("1.5").asApproximateFloat() == 1.5',
  ],
};

for (const [what, rules] of Object.entries(holds)) {
  test(`rules see ${what} as Kubernetes does`, () => {
    for (const rule of rules) assert.equal(breach(rule), undefined, rule);
  });
}

const failures: readonly (readonly [rule: string, why: string])[] = [
  ['self.absent == "x"', 'no such key: absent'],
  ['self.labels["db"] == "x"', 'no such key: db'],
  ['self.names[3] == "d"', 'no such key: index out of bounds, index 3 >= size 3'],
  ['self.count / (self.count - 3) == 1', 'division by zero'],
  ['self.count + 9223372036854775807 > 0', 'integer overflow: 9223372036854775810'],
  ['ip(self.text).family() == 4', 'IP Address "hello world" parse error during conversion from string'],
  [
    'cidr(self.text).prefixLength() == 4',
    'network address "hello world" parse error during conversion from string',
  ],
  ['self.numbers.filter(n, n > 9).min() == 1', 'min called on empty list'],
  ['self.text.charAt(99) == ""', 'index out of range: 99'],
  [
    'self.text.find("[") == ""',
    'error parsing regexp: Invalid regular expression: /[/: Unterminated character class',
  ],
  ['quantity(self.text).sign() == 1', 'quantities must match the regular expression'],
  ['url(self.text).getHost() == ""', 'URL parse error during conversion from string: "hello world"'],
  ['"%d".format([self.text]) == ""', 'could not parse formatting clause "%d"'],
];

test('a rule that has no result makes the object invalid and says why', () => {
  for (const [rule, why] of failures) {
    const message = breach(rule) ?? '';
    assert.ok(message.toLowerCase().startsWith(`invalid value: "object": ${why.toLowerCase()}`), message);
    assert.ok(message.endsWith(` evaluating rule: ${rule}`), message);
  }
});

test('a rule that is false makes the object invalid', () => {
  for (const rule of [
    'self.count > 3',
    'self.names.all(n, n == "a")',
    '!has(self.text)',
    'self.port == 80',
  ]) {
    assert.equal(breach(rule), 'Invalid value: "object": does not hold', rule);
  }
});
