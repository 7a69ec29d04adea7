// The documentation of a definition, made for reading: one page for each operation, with an address of its
// own. Fields are drawn when somebody opens them.

import { app } from './app.js';
import { base, patch } from './api.js';
import { h, replace } from './dom.js';
import { prose } from './prose.js';

const found = (id) => app.workspace.definitions.find((one) => one.id === id);

// The links that save a definition as a file.
export const downloads = (id) =>
  ['YAML', 'JSON'].map((format) =>
    h('a.plain', { href: `${base}/definitions/${id}/download?format=${format.toLowerCase()}`, download: '' }, `Download ${format}`));

// A method as a small label.
export const method = (word) => h('span.docs-method', { 'data-method': word }, word);

// Whether the definition has documentation; if not, says so and how to get it.
function wanted(id, element) {
  const definition = found(id);
  if (!definition) {
    replace(element, h('p', 'This definition is not in the workspace any more.'));
    return false;
  }
  if (definition.documentation) return true;
  const on = async () => {
    await patch(`/definitions/${id}`, { documentation: true });
    await app.reload();
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  };
  replace(element, h('h2', definition.title),
    h('p', 'This definition was imported without documentation.'),
    h('p.actions', h('button', { type: 'button', onclick: () => on().catch(app.fail) }, 'Show documentation'),
      h('a.plain', { href: app.link('definition', id) }, 'Source and problems')));
  return false;
}

export function overview({ definition: id }, element) {
  if (!wanted(id, element)) return;
  const definition = found(id);
  app.library(id).then(({ operations }) => {
    const tags = Map.groupBy(operations, (one) => one.tag ?? 'Other');
    const parts = [...tags].map(([tag, all]) =>
      lazy(h('summary', tag, ' ', h('span.quiet', String(all.length))), () =>
        h('ul.docs-operations', all.map((one) => h('li', method(one.method), ' ',
          h('a', { href: app.link('docs', id, one.id) }, one.summary || one.id), one.deprecated && gone())))));
    replace(element, h('article.docs', h('header', h('h2', definition.title),
      h('p.quiet', `Version ${definition.version} · ${definition.format} · ${operations.length} operations`),
      h('p.actions', downloads(id), h('a.plain', { href: app.link('definition', id) }, 'Source and problems'))),
    ...parts));
  }).catch(app.fail);
}

const gone = () => h('span.badge.bad', 'deprecated');

export function show({ definition: id, operation: name }, element) {
  if (!wanted(id, element)) return;
  Promise.all([app.operation(id, name), app.library(id)]).then(([one, { operations }]) => {
    if (location.hash === app.link('docs', id, name)) replace(element, page(id, one, operations));
  }).catch((error) => {
    replace(element, h('p', error.message));
    app.fail(error);
  });
}

function page(id, one, operations) {
  return h('article.docs',
    h('header',
      h('p.quiet', h('a', { href: app.link('docs', id) }, found(id).title), one.tag && ` · ${one.tag}`),
      h('h2', one.summary || one.id, one.deprecated && gone()),
      h('p.docs-address', method(one.method), ' ', h('code', one.path)),
      h('p.actions',
        h('a.button', { href: app.link('op', id, one.id) }, 'Try it'),
        h('button.plain', { type: 'button', onclick: copyLink }, 'Copy link'), downloads(id))),
    one.description !== one.summary && h('div.prose', prose(one.description)),
    parameters(one.parameters),
    one.bodies.map(body),
    h('section', h('h3', 'Responses'), one.responses.map(response)),
    list(one),
    neighbours(id, one, operations));
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    app.say('The link is copied.');
  } catch {
    app.say('The browser does not let the page copy; copy the address above instead.', 'bad');
  }
}

const PLACES = { path: 'in the path', query: 'in the query', header: 'as a header', cookie: 'as a cookie' };

function parameters(all) {
  if (!all.length) return null;
  const row = (one) => h('tr',
    h('th', { scope: 'row' }, h('code', one.name), one.required && h('span.docs-required', 'required'), one.deprecated && gone()),
    h('td', one.kind, one.format && ` (${one.format})`, h('br'), h('span.quiet', PLACES[one.in])),
    h('td', prose(one.description), notes(one), one.example != null && h('p', 'Example: ', h('code', one.example))));
  return h('section', h('h3', 'Parameters'),
    h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'Parameters' }, h('table.list',
      h('thead', h('tr', ['Name', 'Type', 'Description'].map((word) => h('th', { scope: 'col' }, word)))),
      h('tbody', all.map(row)))));
}

// What a value can be, in words.
function notes(one) {
  const words = [];
  if (one.values?.length) words.push(`one of ${one.values.map(text).join(', ')}`);
  if (one.limits?.length) words.push(one.limits.join(', '));
  if (one.default != null) words.push(`${text(one.default)} unless given`);
  if (one.nullable) words.push('may be null');
  return words.length ? h('p.quiet', words.join('; ')) : null;
}

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

function body(one) {
  return h('section', h('h3', 'Body ', h('span.quiet', `${one.mediaType}, ${one.required ? 'required' : 'may be left out'}`)),
    tree(one.shape), sample('Example', one.example));
}

function response(one) {
  const summary = h('summary', h('strong.docs-status', { 'data-class': one.status[0] }, one.status), ' ', one.description.split('\n')[0]);
  const details = lazy(summary, () => [
    one.description.includes('\n') && prose(one.description),
    one.mediaType && h('p.quiet', one.mediaType),
    one.shape ? tree(one.shape) : h('p.quiet', 'There is no body.'),
    sample('Sample', one.example),
  ]);
  details.open = one.status.startsWith('2');
  return details;
}

const sample = (label, content) =>
  content && lazy(h('summary', label), () => h('pre.docs-sample', { tabindex: '0', 'aria-label': label }, content));

// What is inside a `details`, made when it is opened.
export function lazy(summary, build) {
  const inside = h('div');
  const details = h('details', summary, inside);
  details.addEventListener('toggle', () => {
    if (details.open && !inside.firstChild) replace(inside, build());
  });
  return details;
}

// The fields of a shape as a tree that opens layer by layer.
export function tree(shape) {
  const fields = shape.fields ?? [];
  if (!fields.length) return h('p', h('code', shape.kind), ' ', shape.description);
  return h('div.docs-tree', shape.kind !== 'object' && h('p.quiet', shape.kind), branch(fields));
}

const branch = (fields) => h('ul', fields.slice(0, MOST).map(leaf),
  fields.length > MOST && h('li', more(fields)));

// So many fields are drawn at once.
const MOST = 120;

function more(fields) {
  const button = h('button.plain', { type: 'button', onclick: () => {
    const rest = branch(fields.slice(MOST));
    button.closest('li').replaceWith(...rest.children);
  } }, `${fields.length - MOST} more fields`);
  return button;
}

function leaf({ name, required, shape }) {
  const head = [h('code', name), ' ', h('span.quiet', shape.kind, shape.format && ` (${shape.format})`),
    required && h('span.docs-required', 'required'), shape.deprecated && gone(),
    shape.again && h('span.quiet', ` as ${shape.again} around it`), shape.deeper && h('span.quiet', ' more inside')];
  const about = [prose(shape.description), notes(shape),
    shape.example != null && typeof shape.example !== 'object' && h('p.quiet', 'Example: ', h('code', text(shape.example)))];
  const fields = shape.fields ?? [];
  if (!fields.length) return h('li', h('div', head), h('div.docs-about', about));
  return h('li', lazy(h('summary', head), () => [h('div.docs-about', about), branch(fields)]));
}

function list(one) {
  const rows = [['Filter by', one.filterable.map((field) => field.name)], ['Sort by', one.sortable]];
  return rows.filter(([, names]) => names.length).map(([label, names]) =>
    h('section', h('h3', label), h('p.docs-names', names.map((name) => h('code', name)))));
}

function neighbours(id, one, operations) {
  const at = operations.findIndex((other) => other.id === one.id);
  const to = (other, word) => other && h('a', { href: app.link('docs', id, other.id) }, `${word}: ${other.summary || other.id}`);
  return h('nav.docs-next', { 'aria-label': 'Neighbours' }, to(operations[at - 1], 'Before'), to(operations[at + 1], 'Next'));
}
