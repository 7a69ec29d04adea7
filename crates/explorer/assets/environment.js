// The editor of an environment, which saves by itself.

import { app } from './app.js';
import { get, put, remove } from './api.js';
import { confirm, field, h, later, replace } from './dom.js';
import { activate, active, byId, newEnvironment } from './environments.js';

// Edits that the server has not taken, by environment: they are there again when somebody comes back.
const drafts = new Map();

const blank = () => ({ name: '', on: true, secret: false, initial: '', current: '' });

function draftOf(environment) {
  if (drafts.has(environment.id)) return drafts.get(environment.id);
  return {
    name: environment.name,
    rows: environment.variables.map((one) => ({ ...one, was: one.name, current: one.current ?? '' })),
  };
}

// What is sent. A row without a name and values is one that somebody began.
function body(draft) {
  const rows = draft.rows.filter((row) => row.name || row.initial || row.current || row.value);
  return {
    name: draft.name,
    variables: rows.map(({ name, was, on, secret, initial, current, value }) =>
      ({ name, was, on, secret, initial: secret ? '' : initial, current: secret ? null : current || null, value })),
  };
}

app.route('/environments/:id', ({ id }, view) => {
  const environment = byId(id);
  if (!environment) {
    replace(view, h('p', 'There is no such environment. '), h('button', { type: 'button', onclick: () => newEnvironment() }, 'New environment'));
    return undefined;
  }
  return edit(environment, view);
});

function edit(environment, view) {
  const { id } = environment;
  const path = `/environments/${id}`;
  const draft = draftOf(environment);
  const table = h('tbody');
  const status = h('span.save-state', { role: 'status' }, drafts.has(id) ? 'Not saved yet' : 'Saved');
  let turn = Promise.resolve();

  const say = (text, kind = 'quiet') => {
    status.textContent = text;
    status.dataset.kind = kind;
  };

  async function save() {
    if (!drafts.has(id)) return;
    drafts.delete(id);
    const sent = [...draft.rows];
    try {
      const saved = await put(path, body(draft));
      for (const row of sent) {
        const kept = saved.variables.find((one) => one.name === row.name.trim());
        if (!kept) continue;
        Object.assign(row, { was: kept.name, set: kept.set });
        delete row.value;
      }
      Object.assign(byId(id) ?? {}, saved);
      app.emit('workspace', app.workspace);
      if (app.workspace.activeEnvironment === id) app.emit('environment', id);
      if (!drafts.has(id)) say('Saved');
    } catch (error) {
      drafts.set(id, draft);
      say(`Not saved: ${error.message}`, 'bad');
      status.title = error.hint ?? '';
    }
  }
  const now = () => (turn = turn.then(save));
  const soon = later(600, now);
  const changed = () => {
    drafts.set(id, draft);
    say('Saving …');
    soon();
  };
  const changedNow = async () => {
    drafts.set(id, draft);
    await now();
    draw();
  };

  const name = h('input', { type: 'text', value: draft.name, maxlength: 100, autocomplete: 'off' });
  name.addEventListener('input', () => {
    draft.name = name.value;
    changed();
  });

  function cell(row, key, label, at) {
    const input = h('input', {
      type: 'text', value: row[key] ?? '', 'aria-label': `${label}, row ${at + 1}`, autocomplete: 'off', spellcheck: 'false',
    });
    input.addEventListener('input', () => {
      row[key] = input.value;
      if (at === draft.rows.length - 1 && row.name) grow();
      changed();
    });
    return input;
  }

  function secretCell(row, at) {
    if (row.set && !row.changing) {
      return h('span.kept', h('code', '********'),
        h('button.plain', { type: 'button', 'aria-label': `Change the secret ${row.name}`, onclick: () => ((row.changing = true), draw(at)) }, 'Change'),
        h('button.plain', { type: 'button', 'aria-label': `Forget the secret ${row.name}`, onclick: () => ((row.value = ''), changedNow()) }, 'Forget'));
    }
    const input = h('input', {
      type: 'password', 'aria-label': `Secret value, row ${at + 1}`, placeholder: 'Set the secret', autocomplete: 'off', 'data-secret': at,
    });
    input.addEventListener('change', () => {
      row.changing = false;
      if (input.value) row.value = input.value;
      changedNow();
    });
    return input;
  }

  async function retype(row, select) {
    const secret = select.value === 'secret';
    if (!secret && row.set && !await confirm('Show values of this variable', `The secret ${row.name} is forgotten.`, 'Forget the secret')) {
      select.value = 'secret';
      return;
    }
    if (secret) {
      row.value = row.current || row.initial || undefined;
      row.set = false;
    }
    Object.assign(row, { secret, initial: '', current: '' });
    changedNow();
  }

  function line(row, at) {
    const on = h('input', { type: 'checkbox', checked: row.on, 'aria-label': `Use ${row.name || 'this variable'}` });
    on.addEventListener('change', () => {
      row.on = on.checked;
      changed();
    });
    const type = h('select', { 'aria-label': `Type, row ${at + 1}` },
      h('option', { value: 'default', selected: !row.secret }, 'default'),
      h('option', { value: 'secret', selected: row.secret }, 'secret'));
    type.addEventListener('change', () => retype(row, type));
    const out = h('button.plain', {
      type: 'button', 'aria-label': `Remove ${row.name || 'this row'}`,
      onclick: () => {
        draft.rows.splice(draft.rows.indexOf(row), 1);
        changedNow();
      },
    }, '×');
    return h('tr',
      h('td.on', on),
      h('td', { 'data-label': 'Variable' }, cell(row, 'name', 'Variable', at)),
      h('td', { 'data-label': 'Type' }, type),
      h('td', { 'data-label': 'Initial value' }, row.secret ? h('span.quiet', 'never shared') : cell(row, 'initial', 'Initial value', at)),
      h('td', { 'data-label': 'Current value' }, row.secret ? secretCell(row, at) : cell(row, 'current', 'Current value', at)),
      h('td.out', out));
  }

  function grow() {
    const row = blank();
    draft.rows.push(row);
    table.append(line(row, draft.rows.length - 1));
  }

  function draw(focus) {
    if (draft.rows.at(-1)?.name !== '') draft.rows.push(blank());
    replace(table, draft.rows.map(line));
    if (focus !== undefined) table.querySelector(`[data-secret="${focus}"]`)?.focus();
  }

  async function fill(region) {
    const known = draft.rows.find((row) => row.name === 'baseUrl');
    if (known) Object.assign(known, { initial: region.baseUrl, current: '', on: true });
    else draft.rows.unshift({ ...blank(), name: 'baseUrl', initial: region.baseUrl });
    await changedNow();
  }

  const places = h('select', { 'aria-label': 'Fill baseUrl in from a region' }, h('option', { value: '' }, 'Fill in from a region …'));
  get('/explorer/api/regions').then((regions) => {
    for (const one of regions) places.append(h('option', { value: one.name }, `${one.title} (${one.name}), ${one.baseUrl}`));
    places.addEventListener('change', () => {
      const region = regions.find((one) => one.name === places.value);
      places.value = '';
      if (region) fill(region);
    });
  }).catch(app.fail);

  const use = h('button', { type: 'button', onclick: async () => (await activate(id), mark()) });
  const mark = () => {
    const isActive = app.workspace.activeEnvironment === id;
    use.textContent = isActive ? 'In use' : 'Use this environment';
    use.disabled = isActive;
  };
  mark();
  const off = app.on('environment', mark);

  draw();
  replace(view,
    h('header.view-head', h('h2', 'Environment'), status),
    h('div.environment-head', field('Name', name), places, use),
    h('table.environment',
      h('thead', h('tr', h('th', { scope: 'col' }, h('span.unseen', 'In use')),
        ['Variable', 'Type', 'Initial value', 'Current value'].map((text) => h('th', { scope: 'col' }, text)),
        h('th', h('span.unseen', 'Remove')))),
      table),
    h('p.hint', 'Write ', h('code', '{{name}}'), ' wherever a value goes. The initial value is shared with the workspace; the current value is yours alone and goes first. A secret is kept in the key store and shown to nobody.'),
    h('div.actions',
      h('button.plain', { type: 'button', onclick: () => newEnvironment(id) }, 'Copy this environment'),
      h('button.plain.danger', { type: 'button', onclick: () => drop(environment) }, 'Remove this environment')));
  return () => {
    off();
    app.saving(now());
  };
}

async function drop(environment) {
  const sure = await confirm('Remove environment', `${environment.name} is removed with its values and secrets.`, 'Remove');
  if (!sure) return;
  try {
    drafts.delete(environment.id);
    await remove(`/environments/${environment.id}`);
    await app.reload();
    app.emit('environment', app.workspace.activeEnvironment);
    if (active()) app.go('environments', active().id);
    else location.hash = '#/';
  } catch (error) {
    app.fail(error);
  }
}

// What the server did not take is still only here.
window.addEventListener('beforeunload', (event) => {
  if (drafts.size) event.preventDefault();
});
