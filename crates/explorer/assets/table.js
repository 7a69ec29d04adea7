// A list as a table: one row for each item, one column for each member, nested ones with dots. Numbers stay
// the digits they came as.

import { h, replace } from './dom.js';
import { counted, several } from './words.js';

const AT_ONCE = 100;
const COLUMNS = 8;
const DEEPEST = 3;
const LONGEST = 120;

// What tells most about a thing comes first, what only the machinery needs comes last.
const FIRST = ['displayName', 'name', 'id', 'state', 'status', 'health', 'model', 'sizeMiB', 'totalMiB', 'usedMiB'];
const LAST = ['customerId', 'generation', 'type', 'resourceUri', 'requestUri', 'associatedLinks', 'consoleUri'];

// The cells of an item by column.
function cells(item) {
  const found = new Map();
  const visit = (node, name, depth) => {
    if (node.kind === 'object' && node.members.length && depth < DEEPEST) {
      for (const [member, child] of node.members) visit(child, name ? `${name}.${member}` : member, depth + 1);
    } else {
      found.set(name || 'value', node);
    }
  };
  visit(item, '', 0);
  return found;
}

// What a value is in one line; the whole of it, for the file, with `isWhole`.
function words(node, isWhole) {
  if (!node || node.kind === 'null') return '';
  switch (node.kind) {
    case 'string':
      return !isWhole && node.value.length > LONGEST ? `${node.value.slice(0, LONGEST)}…` : node.value;
    case 'number':
      return node.text;
    case 'object':
      return node.members.length ? several(node.members.length, 'member') : '';
    case 'array': {
      const plain = node.items.every((one) => one.kind !== 'object' && one.kind !== 'array');
      if (plain && (isWhole || node.items.length <= 5)) return node.items.map((one) => words(one, isWhole)).join(', ');
      return several(node.items.length, 'item');
    }
    default:
      return node.kind;
  }
}

function columnsOf(rows) {
  const seen = new Map();
  for (const row of rows) {
    for (const [name, node] of row) {
      const column = seen.get(name) ?? { name, count: 0, numbers: 0, texts: new Set() };
      seen.set(name, column);
      if (node.kind === 'null') continue;
      column.count += 1;
      if (node.kind === 'number') column.numbers += 1;
      if (column.texts.size < 3) column.texts.add(words(node));
    }
  }
  const rank = ({ name, count, texts }) => {
    const first = FIRST.indexOf(name);
    if (first >= 0) return first;
    if (LAST.includes(name.split('.')[0])) return 1000;
    const depth = name.split('.').length;
    return 100 * depth + (count ? 0 : 400) + (count < rows.length / 2 ? 50 : 0) + (texts.size < 2 && rows.length > 2 ? 25 : 0);
  };
  const columns = [...seen.values()].map((one, at) => ({ ...one, isNumber: one.count > 0 && one.numbers === one.count, rank: rank(one), at }));
  columns.sort((a, b) => a.rank - b.rank || a.at - b.at);
  columns.forEach((one, at) => { one.on = at < COLUMNS && one.count > 0; });
  return columns;
}

// `name` is what the file is called.
export function table(items, name) {
  const rows = items.map(cells);
  const columns = columnsOf(rows);
  let order = rows;
  let sorted = { column: null, down: false };
  let shown = AT_ONCE;

  const box = h('div.answer-box', { tabindex: '0', role: 'region', 'aria-label': 'Table' });
  const said = h('span.quiet', { role: 'status' });
  const foot = h('p.answer-more');

  const sort = (column) => {
    const down = sorted.column === column && !sorted.down;
    sorted = { column, down };
    order = rows.map((row, at) => [row, at]).sort(([a, i], [b, j]) => compare(a.get(column.name), b.get(column.name), down) || i - j).map(([row]) => row);
    draw();
    box.querySelector('[aria-sort] button')?.focus();
    said.textContent = `sorted by ${column.name}, ${down ? 'largest' : 'smallest'} first`;
  };
  const draw = () => {
    const on = columns.filter((one) => one.on);
    const state = (one) => sorted.column === one && (sorted.down ? 'descending' : 'ascending');
    const headings = on.map((one) => h('th', { scope: 'col', class: one.isNumber ? 'number' : null, 'aria-sort': state(one) },
      h('button.link', { type: 'button', onclick: () => sort(one) }, one.name)));
    const lines = order.slice(0, shown).map((row) => h('tr', on.map((one) => {
      const node = row.get(one.name);
      return h('td', { class: node?.kind === 'number' ? 'number' : null, title: node?.kind === 'string' && node.value.length > LONGEST ? node.value.slice(0, 2000) : null }, words(node));
    })));
    replace(box, h('table.answer-table', h('thead', h('tr', headings)), h('tbody', lines)));
    const rest = rows.length - shown;
    replace(foot, rest > 0 && [
      h('span.quiet', `${counted(shown)} of ${several(rows.length, 'row')}. `),
      h('button.plain', { type: 'button', onclick: () => { shown += AT_ONCE * 5; draw(); } }, `Show ${counted(Math.min(rest, AT_ONCE * 5))} more`),
    ]);
  };
  const choices = columns.map((one) => h('label', h('input', {
    type: 'checkbox',
    checked: one.on,
    onchange: (event) => {
      one.on = event.target.checked;
      draw();
    },
  }), ' ', one.name, one.count ? null : h('span.quiet', ' (empty)')));
  draw();
  return h('div',
    h('div.answer-tools',
      h('details.answer-columns', h('summary', `Columns (${counted(columns.length)})`), h('div', choices)),
      said,
      h('button.plain', { type: 'button', onclick: () => save(`${name}.csv`, csv(order, columns.filter((one) => one.on))) }, 'Save as CSV')),
    box, foot);
}

// Numbers by what they are, exactly; texts as people sort them; what is missing comes last.
export function compare(a, b, down) {
  const isMissing = (one) => !one || one.kind === 'null';
  if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
  const sign = down ? -1 : 1;
  if (a.kind === 'number' && b.kind === 'number') return sign * compareNumbers(a.text, b.text);
  return sign * ORDER.compare(words(a, true), words(b, true));
}

// Made once: making one costs more than thousands of comparisons.
const ORDER = new Intl.Collator('en', { numeric: true });

function compareNumbers(a, b) {
  const isWhole = (text) => /^-?\d+$/.test(text);
  if (isWhole(a) && isWhole(b)) {
    const [one, other] = [BigInt(a), BigInt(b)];
    return one < other ? -1 : Number(one > other);
  }
  return Number(a) - Number(b);
}

// CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe: it comes from
// strangers. A number cannot be one.
export function csv(rows, columns) {
  const cell = (text, isNumber) => {
    const guard = !isNumber && /^[=+\-@\t\r]/.test(text) ? "'" : '';
    return `"${guard}${text.replaceAll('"', '""')}"`;
  };
  const line = (of) => `${of.join(',')}\r\n`;
  const body = rows.map((row) => line(columns.map(({ name }) => {
    const node = row.get(name);
    return cell(words(node, true), node?.kind === 'number');
  })));
  return line(columns.map(({ name }) => cell(name, false))) + body.join('');
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
