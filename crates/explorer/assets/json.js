// JSON without loss: numbers stay the digits they were written with, members keep their order and may even
// come twice. `JSON.parse` would make 64-bit numbers into doubles, and round them.
//
// A node is {kind: 'object', members: [[name, node]]}, {kind: 'array', items: [node]}, {kind: 'string',
// value}, {kind: 'number', text} or {kind: 'true' | 'false' | 'null'}; one that was read also knows where:
// its text is `text.slice(node.start, node.end)`.

// Why a text is no JSON, and where: `line` and `column` count from 1.
export class NoJson extends Error {
  constructor(what, text, offset) {
    super(what);
    Object.assign(this, { offset, ...place(text, offset) });
  }
}

// The line and the column of an offset.
export function place(text, offset) {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_]\w*/y;
const VARIABLE = /\{\{[^{}\n]*\}\}/y;
const DEEPEST = 500;

// Reads a text. With `variables`, a `{{variable}}` may stand wherever a value may:
// {kind: 'variable', text}.
export function parse(text, { variables = false } = {}) {
  let at = 0;
  let depth = 0;

  const fail = (what, offset = at) => {
    throw new NoJson(what, text, offset);
  };
  const blanks = () => {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      at += 1;
    }
  };
  const match = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found) at += found.length;
    return found;
  };
  const string = () => {
    const start = at;
    let plain = true;
    for (at += 1; text[at] !== '"'; at += 1) {
      if (!(text.charCodeAt(at) >= 32)) {
        fail(at < text.length ? 'a line break or a tab in a text is written \\n or \\t' : 'the text that begins here has no end: a " is missing', at < text.length ? at : start);
      }
      if (text[at] === '\\') {
        plain = false;
        at += 1;
      }
    }
    at += 1;
    if (plain) return text.slice(start + 1, at - 1);
    try {
      return JSON.parse(text.slice(start, at));
    } catch {
      return fail('this text has a \\ that means nothing: write \\\\ for a \\', start);
    }
  };
  // What stands between brackets, separated by commas.
  const several = (close, one) => {
    const opened = at;
    if ((depth += 1) > DEEPEST) fail(`more than ${DEEPEST} levels`);
    at += 1;
    blanks();
    for (let first = true; text[at] !== close; first = false) {
      if (at >= text.length) fail(`the ${text[opened]} that is opened here is never closed`, opened);
      if (!first) {
        if (text[at] !== ',') fail(`expected , or ${close}`);
        at += 1;
        blanks();
        if (text[at] === close) fail(`nothing follows the , before ${close}`);
      }
      one();
      blanks();
    }
    at += 1;
    depth -= 1;
  };
  const member = (members) => {
    if (text[at] !== '"') fail('expected a name in "quotes"');
    const name = string();
    blanks();
    if (text[at] !== ':') fail(`expected : after the name ${JSON.stringify(name)}`);
    at += 1;
    members.push([name, value()]);
  };
  const word = () => {
    const start = at;
    const found = match(WORD);
    if (found === 'true' || found === 'false' || found === 'null') return { kind: found };
    return fail(found ? `a text needs "quotes": "${found}"` : at < text.length ? `expected a value, not ${text[at]}` : 'expected a value', start);
  };
  const bare = () => {
    const first = text[at];
    if (variables && first === '{' && text[at + 1] === '{') {
      const found = match(VARIABLE);
      if (found) return { kind: 'variable', text: found };
    }
    if (first === '{') {
      const members = [];
      several('}', () => member(members));
      return { kind: 'object', members };
    }
    if (first === '[') {
      const items = [];
      several(']', () => items.push(value()));
      return { kind: 'array', items };
    }
    if (first === '"') return { kind: 'string', value: string() };
    const number = match(NUMBER);
    return number ? { kind: 'number', text: number } : word();
  };
  const value = () => {
    blanks();
    const start = at;
    const node = bare();
    node.start = start;
    node.end = at;
    return node;
  };

  const node = value();
  blanks();
  if (at < text.length) fail('expected the end');
  return node;
}

// A node as text: `indent` blanks for each level, or all in one line for 0.
export function print(node, indent = 2) {
  const pieces = [];
  write(node, indent ? '\n' : '', ' '.repeat(indent), pieces);
  return pieces.join('');
}

function write(node, line, step, pieces) {
  switch (node.kind) {
    case 'object':
      return between(pieces, '{', '}', node.members, line, step, ([name, member]) => {
        pieces.push(JSON.stringify(name), step ? ': ' : ':');
        write(member, line + step, step, pieces);
      });
    case 'array':
      return between(pieces, '[', ']', node.items, line, step, (item) => write(item, line + step, step, pieces));
    case 'string':
      return pieces.push(JSON.stringify(node.value));
    case 'number':
    case 'variable':
      return pieces.push(node.text);
    default:
      return pieces.push(node.kind);
  }
}

function between(pieces, open, close, children, line, step, one) {
  pieces.push(open);
  children.forEach((child, at) => {
    pieces.push(at ? ',' : '', line && line + step);
    one(child);
  });
  pieces.push(children.length ? line : '', close);
}
