// The library: the operations of all definitions by path, by tag and by searching, and the ones at hand.
//
// Everything is at the page before the first key is pressed; a key only filters texts. Of the tree only
// what is open is in the page, and of a long list only its beginning.

import { app } from './app.js';
import { put } from './api.js';
import { h, replace } from './dom.js';
import { byPath, byTag, search } from './tree.js';

const STEP = 200;
const definitions = [];
const open = new Set(['favourites']);
const state = { mode: 'path', sought: '', most: STEP, focus: null, current: null };
const tree = h('div.library-tree', { role: 'tree', 'aria-label': 'Operations', onkeydown: stroke, onclick: click });
const count = h('p.library-count', { role: 'status' });
const more = h('button.plain', { type: 'button', onclick: () => ((state.most += STEP), draw()) }, 'Show more');
const bring = h('button', { type: 'button', onclick: () => app.emit('import') }, 'Import a definition');
const field = h('input', {
  type: 'search', id: 'library-search', placeholder: 'Search operations', 'aria-label': 'Search operations',
  'aria-keyshortcuts': '/', title: 'Press / to search from anywhere', autocomplete: 'off', spellcheck: 'false',
  oninput: () => seek(field.value), onkeydown: leaveField,
});
const modes = [['path', 'By path'], ['tag', 'By tag']].map(([mode, label]) =>
  h('button.plain', { type: 'button', 'data-mode': mode, onclick: () => arrange(mode) }, label));
let items = [];

app.tab({
  id: 'library',
  label: 'Library',
  render(element) {
    replace(element, h('div.library-head', field, h('div.library-modes', { role: 'group', 'aria-label': 'Arrange' }, modes)),
      count, tree, more, bring);
    app.on('workspace', load);
    app.on('view', mark);
    document.addEventListener('keydown', shortcut);
    load();
  },
});

// Reads the definitions that are not here yet; what is here already is shown meanwhile.
async function load() {
  const wanted = app.workspace.definitions;
  const loaded = await Promise.all(wanted.map(async (one) => {
    const known = definitions.find((other) => other.id === one.id && other.digest === one.digest);
    if (known) return Object.assign(known, { title: one.title, documentation: one.documentation });
    return app.library(one.id).then(({ operations }) => prepared(one, operations)).catch((error) => (app.fail(error), null));
  }));
  definitions.splice(0, definitions.length, ...loaded.filter(Boolean));
  mark();
}

function prepared(one, operations) {
  const entries = operations.map((operation) => ({
    ...operation,
    definition: one.id,
    name: operation.summary || operation.id,
    text: [operation.id, operation.method, operation.path, operation.summary, operation.tag].join('\n').toLowerCase(),
  }));
  const made = { ...one, entries, path: byPath(one, entries), tag: byTag(one, entries) };
  open.add(made.path.key).add(made.tag.key);
  if (made.path.folders.length === 1) open.add(made.path.folders[0].key);
  return made;
}

function arrange(mode) {
  state.mode = mode;
  reveal();
  draw();
}

function seek(text) {
  state.sought = text.trim().toLowerCase();
  state.most = STEP;
  draw();
}

const isFavourite = (entry) =>
  app.workspace.favourites.some((one) => one.definition === entry.definition && one.operation === entry.id);

// What is to be shown, from top to bottom.
function list() {
  const all = definitions.flatMap((one) => one.entries);
  if (state.sought) {
    const found = search(all, state.sought);
    return found.map((entry, at) => leaf(entry, 'found', 1, entry.name, entry.path, at + 1, found.length));
  }
  const atHand = all.filter(isFavourite);
  const favourites = atHand.length && {
    key: 'favourites', label: 'Favourites', count: atHand.length, folders: [],
    leaves: atHand.map((entry) => ({ entry, label: '' })),
  };
  const roots = [favourites, ...definitions.map((one) => one[state.mode])].filter(Boolean);
  return roots.flatMap((root, at) => branch(root, 1, at + 1, roots.length));
}

const leaf = (entry, group, level, label, note, at, of) =>
  ({ key: `${group} ${entry.definition} ${entry.id}`, entry, level, label, note, at, of });

function branch(folder, level, at, of) {
  const isOpen = open.has(folder.key);
  const row = { key: folder.key, folder, level, at, of, isOpen };
  if (!isOpen) return [row];
  const { leaves, folders } = folder;
  const inside = leaves.length + folders.length;
  return [
    row,
    ...leaves.map(({ entry, label }, place) =>
      leaf(entry, folder.key, level + 1, label || entry.name, label && entry.name, place + 1, inside)),
    ...folders.flatMap((one, place) => branch(one, level + 1, leaves.length + place + 1, inside)),
  ];
}

function draw() {
  items = list();
  const shown = items.slice(0, state.most);
  if (!shown.some((item) => item.key === state.focus)) state.focus = shown[0]?.key ?? null;
  const hadFocus = tree.contains(document.activeElement);
  replace(tree, shown.map(row));
  more.hidden = items.length <= state.most;
  tree.hidden = !shown.length;
  bring.hidden = definitions.length > 0;
  const total = definitions.reduce((sum, one) => sum + one.entries.length, 0);
  count.textContent = !definitions.length ? 'No definition yet: its operations would be here.'
    : !state.sought ? `${total} operations`
    : items.length ? `${items.length} of ${total} operations` : 'No operation has all these words.';
  for (const one of modes) one.setAttribute('aria-pressed', String(one.dataset.mode === state.mode));
  if (hadFocus) focus(state.focus);
}

function row(item) {
  const inFocus = item.key === state.focus;
  const attributes = {
    role: 'treeitem', 'data-key': item.key, tabindex: inFocus ? 0 : -1, 'aria-level': item.level,
    'aria-setsize': item.of, 'aria-posinset': item.at,
  };
  if (item.entry) return leafRow(item, attributes, inFocus);
  const definition = definitions.find((one) => one.id === item.folder.definition && item.level === 1);
  return h('div.library-folder', { ...attributes, 'data-level': Math.min(item.level, 8), 'aria-expanded': String(item.isOpen) },
    h('span.library-label', item.folder.label), ' ', h('span.library-number', { title: `${item.folder.count} operations` }, item.folder.count),
    definition && [
      tool(inFocus, ['definition', definition.id], 'Definition', definition.title),
      definition.documentation && tool(inFocus, ['docs', definition.id], 'Docs', definition.title),
    ]);
}

const tool = (inFocus, address, label, title) => [' ', h('a.library-tool', {
  href: app.link(...address), tabindex: inFocus ? 0 : -1, 'aria-label': `${label} of ${title}`,
}, label)];

function leafRow({ entry, label, note, level }, attributes, inFocus) {
  const isCurrent = state.current === `${entry.definition} ${entry.id}`;
  const isKept = isFavourite(entry);
  return h('div.library-leaf', {
    ...attributes, 'data-level': Math.min(level, 8), 'aria-current': isCurrent && 'page', 'aria-selected': String(isCurrent),
    title: `${entry.method} ${entry.path}\n${entry.name}`, 'data-named': label === entry.name,
  }, h('a', { href: app.link('op', entry.definition, entry.id), tabindex: -1 },
    h('span.method', { 'data-method': entry.method }, entry.method), ' ',
    h('span.library-label', { 'data-deprecated': entry.deprecated }, label),
    entry.deprecated && [' ', h('em', 'deprecated')], note && [' ', h('small', note)]),
  h('button.library-star', {
    type: 'button', tabindex: inFocus ? 0 : -1, 'aria-pressed': String(isKept), 'aria-keyshortcuts': 'f',
    'aria-label': `Favourite: ${entry.name}`, title: isKept ? 'Take off the favourites (f)' : 'Put on the favourites (f)',
  }, isKept ? '★' : '☆'));
}

const element = (key) => [...tree.children].find((one) => one.dataset.key === key);

// The row that the Tab key leads to, with what can be pressed in it.
function focus(key) {
  for (const one of [element(state.focus), element(key)]) {
    const isIt = one?.dataset.key === key ? 0 : -1;
    for (const part of one ? [one, ...one.querySelectorAll('.library-tool, .library-star')] : []) part.tabIndex = isIt;
  }
  state.focus = key;
  element(key)?.focus();
}

function toggle(item) {
  if (!open.delete(item.key)) open.add(item.key);
  draw();
}

function stroke(event) {
  const at = items.findIndex((item) => item.key === state.focus);
  const item = items[at];
  const onRow = event.target.role === 'treeitem';
  const last = Math.min(items.length, state.most) - 1;
  const step = (to) => focus(items[Math.max(0, Math.min(last, to))].key);
  const acts = {
    ArrowDown: () => step(at + 1),
    ArrowUp: () => (at === 0 ? field.focus() : step(at - 1)),
    Home: () => step(0),
    End: () => step(last),
    ArrowRight: () => (item.isOpen === false ? toggle(item) : item.isOpen && step(at + 1)),
    ArrowLeft: () => (item.isOpen ? toggle(item) : step(items.findLastIndex((one, place) => place < at && one.level < item.level))),
    Enter: onRow && (() => (item.entry ? app.go('op', item.entry.definition, item.entry.id) : toggle(item))),
    f: item?.entry && (() => keep(item.entry)),
  };
  acts[' '] = acts.Enter;
  if (!item || !acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  acts[event.key]();
}

function click(event) {
  const pressed = event.target.closest('[role=treeitem]');
  const item = items.find((one) => one.key === pressed?.dataset.key);
  if (!item) return;
  if (event.target.closest('.library-star')) keep(item.entry);
  else if (item.folder && !event.target.closest('a')) {
    state.focus = item.key;
    toggle(item);
    focus(item.key);
  }
}

async function keep(entry) {
  const before = app.workspace.favourites;
  const others = before.filter((one) => one.definition !== entry.definition || one.operation !== entry.id);
  const isNew = others.length === before.length;
  app.workspace.favourites = isNew ? [...before, { definition: entry.definition, operation: entry.id }] : others;
  draw();
  try {
    await put('/favourites', app.workspace.favourites);
  } catch (error) {
    app.workspace.favourites = before;
    draw();
    app.fail(error);
  }
}

// Shows which operation the view is about.
function mark() {
  const [, definition, operation] = /^#\/(?:op|docs)\/([^/]+)\/([^/]+)/.exec(location.hash) ?? [];
  const current = operation && `${decodeURIComponent(definition)} ${decodeURIComponent(operation)}`;
  const isNew = current !== state.current;
  state.current = current;
  if (isNew) reveal();
  draw();
  if (isNew) tree.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
}

// Opens the folders around the current operation.
function reveal() {
  const isIt = ({ entry }) => `${entry.definition} ${entry.id}` === state.current;
  const openTo = (folder) => {
    const holds = folder.leaves.some(isIt) || folder.folders.filter(openTo).length > 0;
    if (holds) open.add(folder.key);
    return holds;
  };
  if (state.current && !app.workspace.favourites.some((one) => `${one.definition} ${one.operation}` === state.current)) {
    for (const one of definitions) openTo(one[state.mode]);
  }
}

function leaveField(event) {
  if (event.key === 'ArrowDown' && items.length) {
    event.preventDefault();
    focus(items[0].key);
  } else if (event.key === 'Escape' && field.value) {
    event.preventDefault();
    field.value = '';
    seek('');
  } else if (event.key === 'Enter' && state.sought && items.length) {
    app.go('op', items[0].entry.definition, items[0].entry.id);
  }
}

function shortcut(event) {
  const writes = event.target.closest?.('input, textarea, select, [contenteditable], dialog');
  if (event.key !== '/' || writes || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  app.showSide();
  app.showTab('library');
  field.focus();
  field.select();
}
