// Importing a definition: a file, several, a folder, a link, a text, or the one that comes with the
// program. What was chosen is looked at first, and taken in when the person says so.

import { app } from './app.js';
import { ask, post } from './api.js';
import { lazy } from './docs.js';
import { dialog, field, h, replace, unique } from './dom.js';

// Asks for a definition. `replaces` is one that it is meant to replace; `files` were chosen already.
export function importDialog({ replaces, files } = {}) {
  return dialog(replaces ? 'Import a new version' : 'Import', (close) => {
    const place = h('div.import');
    const steps = { place, close, replaces };
    if (files) lookAtFiles(steps, files);
    else choose(steps);
    return place;
  }, 'wide');
}

const TABS = [
  { label: 'File', build: fileTab },
  { label: 'Folder', build: folderTab },
  { label: 'Link', build: linkTab, local: true },
  { label: 'Text', build: textTab },
  { label: 'Built-in', build: builtInTab },
];

// The first step: where the definition is.
function choose(steps, problem) {
  const panel = h('div.import-panel', { role: 'tabpanel', id: unique('import') });
  const tabs = TABS.filter((tab) => !tab.local || app.workspace.local);
  const buttons = tabs.map((tab) => h('button.plain', {
    type: 'button', role: 'tab', 'aria-controls': panel.id, id: unique('tab'), onclick: () => open(tab),
  }, tab.label));
  const open = (tab) => {
    steps.tab = tab;
    buttons.forEach((one, at) => {
      one.setAttribute('aria-selected', String(tabs[at] === tab));
      one.tabIndex = tabs[at] === tab ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', buttons[tabs.indexOf(tab)].id);
    replace(panel, tab.build(steps));
  };
  const list = h('div.explorer-tabs', { role: 'tablist', 'aria-label': 'Where the definition is' }, buttons);
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = (buttons.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    open(tabs[at]);
    buttons[at].focus();
  });
  open(steps.tab ?? tabs[0]);
  replace(steps.place, problem && failure(problem), list, panel);
}

const ENDINGS = /\.(ya?ml|json)$/i;

function fileTab(steps) {
  const input = h('input', { type: 'file', multiple: true, accept: '.yaml,.yml,.json', onchange: () => lookAtFiles(steps, named(input.files)) });
  return [field('Definition file', input, 'OpenAPI 3.0 or 3.1, in YAML or JSON, up to 32 MiB. You can also drop files anywhere on the page.')];
}

function folderTab(steps) {
  const input = h('input', { type: 'file', webkitdirectory: true, onchange: () => lookAtFiles(steps, named(input.files)) });
  return [field('Folder of the definition', input, 'For a definition in several files that refer to each other. Only its YAML and JSON files are read.')];
}

function linkTab(steps) {
  const input = h('input', { type: 'url', name: 'url', required: true, placeholder: 'https://', value: steps.url });
  const form = h('form', {
    onsubmit: (event) => {
      event.preventDefault();
      steps.url = input.value;
      lookAt(steps, `Fetching ${input.value}`, () => post(look(steps), { url: input.value }));
    },
  }, field('Address of the definition', input, 'It is fetched once. Addresses of servers in it that are relative are taken to mean that place.'),
  h('footer.actions', h('button', 'Continue')));
  return form;
}

function textTab(steps) {
  const input = h('textarea.code', { rows: '12', required: true, spellcheck: 'false', value: steps.text });
  return h('form', {
    onsubmit: (event) => {
      event.preventDefault();
      steps.text = input.value;
      const blob = new Blob([input.value]);
      lookAt(steps, 'Reading the text', () => upload(steps, blob, 'pasted text'));
    },
  }, field('Text of the definition', input), h('footer.actions', h('button', 'Continue')));
}

function builtInTab(steps) {
  return [h('p', 'Hallpass comes with a definition of the most used operations of the storage API.'),
    h('footer.actions', h('button', {
      type: 'button',
      onclick: () => lookAt(steps, 'Reading the definition', () => post(look(steps), { builtIn: true })),
    }, 'Continue'))];
}

const look = ({ replaces }, more = '') =>
  `/definitions/look?${replaces ? `replaces=${replaces}` : ''}${more}`;

async function upload(steps, blob, name) {
  const path = look(steps, `&source=${encodeURIComponent(name)}`);
  return (await ask('POST', path, blob, { headers: { 'content-type': 'application/octet-stream' } })).json();
}

// Files with the names that they have below their folder.
const named = (files) => [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

const LARGEST = 32 * 1024 * 1024;

function lookAtFiles(steps, chosen) {
  const files = chosen.length > 1 ? chosen.filter(({ name }) => ENDINGS.test(name)) : chosen;
  if (!files.length) return choose(steps, { what: 'there is no YAML or JSON file among them', hint: 'choose the file of the definition' });
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  if (size > LARGEST) return choose(steps, { what: 'the files are larger than 32 MiB together', hint: 'choose the definition alone' });
  const words = files.length > 1 ? `${files.length} files` : files[0].name;
  return lookAt(steps, `Reading ${words} (${bytes(size)})`, async () => {
    if (files.length === 1) return upload(steps, files[0].file, files[0].name);
    const texts = await Promise.all(files.map(async ({ file, name }) => ({ name, text: await file.text() })));
    return post(look(steps), { files: texts });
  });
}

const bytes = (size) => (size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`);

// The second step: has it looked at.
async function lookAt(steps, words, act) {
  const progress = h('progress', { 'aria-label': words });
  replace(steps.place, h('p', { role: 'status' }, `${words}…`), progress);
  try {
    const told = await act();
    const looks = told.looks ?? [told];
    const failures = told.failures ?? [];
    if (looks.length) settle(steps, looks, failures);
    else choose(steps, failures[0]);
  } catch (error) {
    choose(steps, { what: error.message, hint: error.hint, ...error.details });
  }
}

// What is wrong, with the lines around the place.
function failure(problem) {
  const { source, what, hint, line, column, excerpt } = problem;
  const lines = (excerpt ?? []).map((one) => h('div.source-line', { 'data-marked': one.line === line ? 'true' : null },
    h('span', String(one.line)), one.text));
  return h('div.notice.import-failure', { role: 'alert' },
    h('p', h('strong', source ? `${source}: ${what}` : what)), h('p', hint),
    lines.length > 0 && h('div.source-excerpt', { tabindex: '0', role: 'group', 'aria-label': `Line ${line}, column ${column}` }, lines));
}

// The third step: what it is, and whether it is taken in.
function settle(steps, looks, failures) {
  const rows = looks.map((one) => row(one, steps));
  const documentation = h('input', { type: 'checkbox', checked: true });
  const cell = (word) => h('th', { scope: 'col' }, word);
  const go = h('button', { type: 'button', onclick: () => take(steps, rows, documentation.checked, go) }, 'Import');
  replace(steps.place,
    failures.map(failure),
    h('div.scroll', h('table.list', h('thead', h('tr', ['Name', 'Format', 'Import as', 'Operations', 'Problems'].map(cell))),
      h('tbody', rows.map((one) => one.element)))),
    rows.map((one) => one.choice),
    h('label.choice', documentation, h('span', 'Documentation', h('span.hint', ' A readable page for every operation. Un-check it to leave that out.'))),
    h('footer',
      h('button.plain', { type: 'button', onclick: () => choose(steps) }, 'Back'),
      h('button.plain', { type: 'button', onclick: () => steps.close() }, 'Cancel'), go));
  go.focus();
}

function row(one, steps) {
  const { errors, warnings, notes } = one.problems;
  const words = [[errors, 'errors'], [warnings, 'warnings'], [notes, 'notes']].filter(([count]) => count)
    .map(([count, word]) => `${count} ${count === 1 ? word.slice(0, -1) : word}`);
  const files = one.files > 1 ? `, ${one.files} files` : '';
  const element = h('tr', h('th', { scope: 'row' }, one.title || 'No title', h('br'), h('span.quiet', `${one.source}${files}`)),
    h('td', one.format), h('td', one.as), h('td', `${one.operations}`, h('br'), h('span.quiet', `${one.milliseconds} ms`)),
    h('td', words.join(', ') || 'No issues found'));
  const same = one.same.find((known) => known.definition === steps.replaces) ?? one.same[0];
  if (!same) return { one, element, replaces: () => null };
  const name = unique('replace');
  const replace_ = h('input', { type: 'radio', name, checked: true });
  const both = h('input', { type: 'radio', name });
  const choice = h('fieldset.import-same', h('legend', `${same.title} ${same.version} is in the workspace already`),
    h('label.choice', replace_, h('span', 'Replace it: favourites, saved requests and their values stay')),
    h('label.choice', both, h('span', 'Keep both')),
    changes(same.changes));
  return { one, element, choice, replaces: () => (replace_.checked ? same.definition : null) };
}

// What is added, removed and changed.
function changes(told) {
  if (!told) return h('p.quiet', 'What would change is not known: the text that is there cannot be read.');
  const kinds = [['added', 'added'], ['removed', 'removed'], ['changed', 'changed']].filter(([kind]) => told[kind].length);
  if (!kinds.length) return h('p.quiet', 'No operation changes.');
  return kinds.map(([kind, word]) => {
    const all = told[kind];
    const item = (one) => h('li', h('code', `${one.method} ${one.path}`), one.what && h('span.quiet', `: ${one.what.join('; ')}`));
    const words = `${all.length} ${all.length === 1 ? 'operation' : 'operations'} ${word}`;
    return lazy(h('summary', words), () =>
      h('ul', all.slice(0, 200).map(item), all.length > 200 && h('li.quiet', `and ${all.length - 200} more`)));
  });
}

async function take(steps, rows, documentation, go) {
  go.disabled = true;
  try {
    let last;
    for (const { one, replaces } of rows) {
      last = (await post('/definitions', { look: one.look, documentation, replaces: replaces() })).definition;
    }
    app.forget();
    await app.reload();
    steps.close(last);
    app.say(rows.length > 1 ? `${rows.length} definitions are imported.` : `${last.title} is imported.`);
    const here = location.hash === app.link('definition', last.id);
    if (here) window.dispatchEvent(new HashChangeEvent('hashchange'));
    else app.go('definition', last.id);
  } catch (error) {
    go.disabled = false;
    app.fail(error);
  }
}

// What was dropped, folders opened.
export async function dropped(plain, entries) {
  if (!entries.some((entry) => entry.isDirectory)) return named(plain);
  const files = [];
  const open = async (entry) => {
    if (files.length >= 500) return;
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
      if (ENDINGS.test(entry.name)) files.push({ file, name: entry.fullPath.replace(/^\//, '') });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
      if (!some.length) return;
      for (const one of some) await open(one);
    }
  };
  for (const entry of entries) await open(entry);
  return files;
}
