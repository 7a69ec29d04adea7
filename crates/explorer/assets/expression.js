// The texts of filter, sort and select, written and read back (docs/query-language.md). What is read here is
// what the builders can show: conditions in groups, joined by `and` within a group and by `or` between
// groups. Everything else stays text; whether a text is right is said by the server.

const WORDS = new Set(['and', 'or', 'not', 'eq', 'ne', 'gt', 'ge', 'lt', 'le', 'in']);
const COMPARISONS = new Set(['eq', 'ne', 'gt', 'ge', 'lt', 'le']);
const FUNCTIONS = new Set(['startswith', 'endswith', 'contains', 'substringof']);

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
export const MOMENT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const VARIABLE = /^\{\{[^{}]*\}\}$/;

// A filter as text. `groups` are lists of {attribute, operator, values}; `kinds` tells the kind of each
// attribute: a value stands without quotes only where it is no text.
export function writeFilter(groups, kinds = new Map()) {
  const condition = ({ attribute, operator, values }) => {
    const name = writeAttribute(attribute);
    const value = (text) => writeValue(text, kinds.get(attribute));
    if (operator === 'empty') return `${name} eq null`;
    if (operator === 'present') return `${name} ne null`;
    if (operator === 'in') return `${name} in (${values.map(value).join(', ')})`;
    if (FUNCTIONS.has(operator)) return `${operator}(${name}, ${quoted(values[0] ?? '')})`;
    return `${name} ${operator} ${value(values[0] ?? '')}`;
  };
  return groups
    .filter((group) => group.length)
    .map((group) => group.map(condition).join(' and '))
    .join(' or ');
}

function writeValue(text, kind = 'string') {
  const bare = /integer|number/.test(kind) ? NUMBER.test(text) || VARIABLE.test(text)
    : /boolean/.test(kind) ? /^(true|false)$/.test(text) || VARIABLE.test(text)
      : MOMENT.test(text);
  return bare ? text : quoted(text);
}

const quoted = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

// Names are written as they are; what the language would take for its own is escaped.
function writeAttribute(name) {
  const escaped = name.replace(/[\s(),'"\\]/g, '\\$&');
  return WORDS.has(name.toLowerCase()) ? `\\${escaped}` : escaped;
}

// The groups of a filter; null when it is more than they can say, or no filter at all.
export function readFilter(text) {
  const tokens = cut(text);
  if (!tokens) return null;
  if (!tokens.length) return [];
  try {
    const reader = new Reader(tokens);
    const found = reader.any();
    return reader.at === tokens.length ? found : null;
  } catch (error) {
    if (error === TOO_MUCH) return null;
    throw error;
  }
}

const TOO_MUCH = new Error('more than the builder can show');

// Words, quoted texts and punctuation; null when a quote is left open.
function cut(text) {
  const tokens = [];
  const pattern = /\s*(?:([(),])|'((?:[^'\\]|''|\\[^])*)'|"((?:[^"\\]|""|\\[^])*)"|((?:[^\s(),'"\\]|\\[^])+))|\s+$/gy;
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return null;
    at = pattern.lastIndex;
    const [, sign, single, double, word] = found;
    if (sign) tokens.push({ sign });
    else if (single !== undefined) tokens.push({ text: unescape(single.replaceAll("''", "'")) });
    else if (double !== undefined) tokens.push({ text: unescape(double.replaceAll('""', '"')) });
    else if (word) tokens.push({ word });
  }
  return tokens;
}

const unescape = (text) => text.replace(/\\([^])/g, '$1');

class Reader {
  constructor(tokens) {
    this.tokens = tokens;
    this.at = 0;
  }
  // A list of groups.
  any() {
    const groups = this.all();
    while (this.take('or')) groups.push(...this.all());
    return groups;
  }
  all() {
    const groups = this.term();
    while (this.take('and')) {
      const more = this.term();
      if (groups.length > 1 || more.length > 1) throw TOO_MUCH;
      groups[0].push(...more[0]);
    }
    return groups;
  }
  term() {
    if (this.sign('(')) {
      const groups = this.any();
      this.expect(')');
      return groups;
    }
    return [[this.condition()]];
  }
  condition() {
    const first = this.next();
    if (first.word && FUNCTIONS.has(first.word.toLowerCase()) && this.sign('(')) return this.call(first.word.toLowerCase());
    const word = this.next().word?.toLowerCase();
    if (word === 'in') {
      if (first.text !== undefined) return { attribute: attribute(this.next()), operator: 'eq', values: [first.text] };
      return { attribute: attribute(first), operator: 'in', values: this.values() };
    }
    if (!COMPARISONS.has(word)) throw TOO_MUCH;
    const second = this.next();
    if (second.word?.toLowerCase() === 'null') {
      if (word !== 'eq' && word !== 'ne') throw TOO_MUCH;
      return { attribute: attribute(first), operator: word === 'eq' ? 'empty' : 'present', values: [] };
    }
    return { attribute: attribute(first), operator: word, values: [value(second)] };
  }
  // The quoted argument is the text.
  call(name) {
    const one = this.next();
    this.expect(',');
    const other = this.next();
    this.expect(')');
    const [what, text] = one.text === undefined ? [one, other] : [other, one];
    if (text.text === undefined) throw TOO_MUCH;
    if (this.take('eq') && this.next().word?.toLowerCase() !== 'true') throw TOO_MUCH;
    return { attribute: attribute(what), operator: name === 'substringof' ? 'contains' : name, values: [text.text] };
  }
  values() {
    const open = this.sign('(');
    const values = [value(this.next())];
    while (this.sign(',')) values.push(value(this.next()));
    if (open) this.expect(')');
    return values;
  }
  next() {
    const token = this.tokens[this.at];
    if (!token || token.sign) throw TOO_MUCH;
    this.at += 1;
    return token;
  }
  take(word) {
    const found = this.tokens[this.at]?.word?.toLowerCase() === word;
    if (found) this.at += 1;
    return found;
  }
  sign(sign) {
    const found = this.tokens[this.at]?.sign === sign;
    if (found) this.at += 1;
    return found;
  }
  expect(sign) {
    if (!this.sign(sign)) throw TOO_MUCH;
  }
}

function value(token) {
  if (token.text !== undefined) return token.text;
  if (WORDS.has(token.word.toLowerCase()) || token.word.toLowerCase() === 'null') throw TOO_MUCH;
  return unescape(token.word);
}

// A point that belongs to a name, and does not lead into it, cannot be told apart once it is read.
function attribute({ word }) {
  if (word === undefined || WORDS.has(word.toLowerCase()) || /\\[./]/.test(word)) throw TOO_MUCH;
  return unescape(word.replaceAll('/', '.'));
}

// The keys of a sort: [{attribute, descending}]; null when the text is none.
export function readSort(text) {
  const keys = text.split(',').map((key) => /^\s*(\S+?)(?:\s+(asc|desc))?\s*$/i.exec(key));
  if (!text.trim()) return [];
  if (keys.some((key) => !key)) return null;
  return keys.map(([, name, way]) => ({ attribute: unescape(name.replaceAll('/', '.')), descending: /^desc$/i.test(way ?? '') }));
}

export const writeSort = (keys) =>
  keys.map(({ attribute: name, descending }) => `${writeAttribute(name)} ${descending ? 'desc' : 'asc'}`).join(',');

// The names of a select.
export const readSelect = (text) => text.split(',').map((name) => unescape(name.trim().replaceAll('/', '.'))).filter(Boolean);
export const writeSelect = (names) => names.map(writeAttribute).join(',');
