// Writes what picomatch says of pairs of globs and values, with the options of the API: none but strictSlashes off. Each
// line is a glob and then the values that it matches and those that it does not, each behind "+" or "-", as JSON strings with
// tabs between. The draw is the same every time.
//
//   npm ci && node table.mjs ../../../internal/access/testdata/globs.txt.gz
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import picomatch from 'picomatch';

const globs = 4200, valuesEach = 13;

let seed = 20261130;
const below = (n) => { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
};
const one = (list) => list[below(list.length)];

const texts = ['a', 'b', 'ab', 'app', '.', '.env', '-', '_', 'é', '😀', ' ', '@', '$', '^', '#', '~', '=', ':', '+', ',', ']', '}', 'A'];
const wild = ['*', '*', '*', '?', '**', '[ab]', '[a-c]', '[^a]', '[^a-c]', '[.]', '[a.]', '{a,b}', '{a,}', '{,.a}', '{*,b}', '{a/b,b}', '{a}', '{{identity.id}}', '{a,{b,c}}', '\\*', '\\?', '\\[', '\\{', '\\.', '\\,'];
const odd = ['(', '|', '"', '[!a]', '***', '+(a)', '!(a)', '{1..3}', '{', '[', '\\d', '[[:alpha:]]'];

const name = () => {
  let s = '';
  for (let n = 1 + below(3); n > 0; n--) s += below(40) === 0 ? one(odd) : below(2) ? one(texts) : one(wild);
  return s;
};
const glob = () => {
  let s = '';
  if (below(4) === 0) return name(); // such as the name of a secret
  for (let n = 1 + below(4); n > 0; n--) s += '/' + (below(3) === 0 ? '**' : name());
  if (below(12) === 0) s += '/';
  if (below(10) === 0) s = s.slice(1);
  if (below(12) === 0) s = s.replace('/**', '{/**,/a}');
  return s;
};

const fills = ['', 'a', 'b', 'ab', 'app', '.', '..', '.a', 'a.b', 'é', '😀', 'a/b', '/', '/a', '/.a', 'c'];
const valueFor = (g) => {
  switch (below(6)) {
    case 0: { // of nothing but parts
      let s = '';
      for (let n = below(4); n > 0; n--) s += (below(4) ? '/' : '') + one(fills);
      return s;
    }
    case 1: return g;
    default: // the glob with its wildcards filled in, and sometimes spoiled
      let s = g.replace(/\{\{.*?\}\}|\{[^{}]*\}|\[[^\]]*\]|\/?\*\*|\*|\?|\\(.)/g, (m, escaped) => escaped ?? (below(8) === 0 ? m
        : m.startsWith('{') && !m.startsWith('{{') ? one(m.slice(1, -1).split(','))
        : m.endsWith('**') ? one(['', '/', '/a', '/a/b', '/.a', 'a', '/a/.b/c', '/a/'])
        : m === '*' || below(3) === 0 ? one(fills) : one(['a', 'b', '.', 'c', '/', 'é'])));
      if (below(8) === 0) s += one(['/', 'a', '.']);
      if (below(10) === 0) s = s.slice(0, below(s.length + 1));
      return s;
  }
};

// What is written in the documentation, so that it is among the pairs whatever is drawn.
const fixed = {
  '/app/**': ['/app', '/app/', '/app/x', '/app/x/y', '/apple', '/', '/app/.x', '/app/x/.y'],
  '/**': ['/', '/app', '/app/x', '/.app', '/app/.x', 'app', ''], '/*': ['/', '/app', '/app/', '/.app', '/app/x'],
  '/*/**': ['/', '/app', '/app/x', '/app/', '//'], '*': ['X', '.env', '', 'a/b', 'a/', '.'], '**': ['', '/', 'a', 'a/b', '.a', 'a/.b'],
  '/app*/**': ['/app', '/apple', '/app/x', '/apple/x'], '/**/x': ['/x', '/a/x', '/a/b/x', '/.a/x'], '/app/': ['/app', '/app/'],
  '[ab]': ['a', 'b', '[ab]', 'a/', 'c'], '{a,b}': ['a', 'b', '{a,b}'], '?': ['a', '.', 'é', '😀', ''],
};

const lines = [];
const add = (g, values) => {
  let matches;
  try { matches = picomatch(g, { strictSlashes: false }); } catch { return; }
  const said = [...new Set(values)].map((v) => (matches(v) ? '+' : '-') + JSON.stringify(v));
  lines.push([JSON.stringify(g), ...said].join('\t'));
};
for (const [g, values] of Object.entries(fixed)) add(g, values);
const seen = new Set(Object.keys(fixed));
while (lines.length < globs) {
  const g = glob();
  if (seen.has(g) || g === '') continue;
  seen.add(g);
  add(g, Array.from({ length: valuesEach * 2 }, () => valueFor(g)).slice(0, valuesEach * 2));
}
writeFileSync(process.argv[2], gzipSync(lines.join('\n') + '\n', { level: 9 }));
console.log(`${lines.length} globs`);
