// The rows of a request: its parameters, and its own headers beside those that Hallpass writes.

import { authorizationForm } from './authorization.js';
import { coming, h, fill, replace, unique } from './dom.js';
import { control } from './inputs.js';

const PLACES = { path: 'in the path', query: 'in the query', header: 'header', cookie: 'cookie' };

// The tab "Parameters".
export function parameters(edit) {
  const { draft, detail } = edit;
  const known = detail?.parameters ?? [];
  const rows = draft.parameters.map((row) => {
    const about = known.find((one) => one.name === row.name && one.in === row.in);
    return about ? knownRow(edit, row, about) : ownRow(edit, draft.parameters, row, 'parameter', () => draw());
  });
  const body = h('tbody');
  const draw = () => edit.redraw();
  fill(body, rows.map((row) => row.elements));
  const add = h('button.plain', {
    type: 'button',
    onclick: () => {
      draft.parameters.push({ name: '', in: 'query', value: '', on: true });
      edit.changed();
      edit.redraw();
      edit.panel.querySelector('tbody tr:last-child input.code')?.focus();
    },
  }, 'Add a query parameter');
  const element = h('div',
    rows.length ? h('div.scroll', h('table.list.entries', head('Send', 'Name', 'Value', 'What it is'), body))
      : h('p.quiet', detail ? 'This operation has no parameters.' : 'No parameters yet.'),
    h('p.actions', add, rows.some((row) => row.optional) && h('span.hint', 'Only what is ticked is sent.')));
  return { element, told: (preview) => rows.forEach((row) => row.told(preview)) };
}

const head = (...names) => h('thead', h('tr', names.map((name) => h('th', { scope: 'col' }, name))));

function knownRow(edit, row, about) {
  const label = about.name;
  const tick = h('input', {
    type: 'checkbox',
    checked: row.on,
    disabled: about.in === 'path',
    'aria-label': `Send ${label}`,
    onchange: () => {
      row.on = tick.checked;
      edit.changed();
    },
  });
  const typed = (value) => {
    row.value = value;
    row.on = row.on || value !== '';
    tick.checked = row.on;
    offer.hidden = !hasExample || value === about.example;
    edit.changed();
  };
  const hasExample = about.example != null && about.example !== '';
  const value = control(about, row.value, label, (next) => {
    typed(next);
    build?.read(next);
  });
  const set = (next) => {
    value.show(next);
    build?.read(next);
    typed(next);
  };
  const offer = h('button.plain.small', { type: 'button', title: about.example, onclick: () => set(about.example) }, 'Use example');
  offer.hidden = !hasExample || row.value === about.example;
  const mistake = h('p.mistake', { id: unique('mistake'), hidden: true });
  const wide = h('tr.builder', { hidden: true }, h('td', { colspan: '4' }));
  let build;
  const open = edit.detail && canBuild(edit.detail, about) && h('button.plain.small', {
    type: 'button',
    'aria-expanded': 'false',
    onclick: () => {
      wide.hidden = !wide.hidden;
      open.setAttribute('aria-expanded', String(!wide.hidden));
      if (wide.firstChild.hasChildNodes()) return;
      fill(wide.firstChild, coming(() => import('./builders.js'), ({ builder }) => {
        build = builder(about.name, edit.detail, row.value, (next) => {
          value.show(next);
          typed(next);
        });
        return build;
      }));
    },
  }, 'Build it');
  const elements = [
    h('tr', { 'data-parameter': about.name },
      h('td', tick),
      h('th', { scope: 'row' }, h('code', about.name), about.required && h('span.required', 'required'),
        about.deprecated && h('span.badge.quiet', 'deprecated'), h('small.quiet', PLACES[about.in])),
      h('td.entry', value, h('div.actions', open, offer), mistake),
      h('td.about', meaning(about))),
    wide,
  ];
  return { elements, optional: !about.required, told: (preview) => tell(preview, row, mistake, value) };
}

const canBuild = (detail, { name, in: place }) =>
  place === 'query' && { filter: detail.filterable, sort: detail.sortable, select: detail.selectable }[name]?.length;

// What a value means, and what it must be.
export function meaning({ description, kind, format, limits = [], values = [], default: standard }) {
  const facts = [format && !/^int/.test(format) ? `${kind}, ${format}` : kind, ...limits];
  if (values.length > 12) facts.push(`${values.length} values`);
  if (standard != null) facts.push(`otherwise ${standard}`);
  const text = description && h('p.meaning', {
    title: description,
    onclick: () => text.classList.toggle('whole'),
  }, description);
  return [text, h('small', facts.join(' · '))];
}

// Shows what is wrong with a row that is sent.
function tell(preview, row, mistake, value) {
  const found = row.on ? preview.mistakes.filter((one) => one.parameter === row.name && (!one.in || one.in === row.in)) : [];
  mistake.hidden = !found.length;
  replace(mistake, found.map((one) => h('span', one.what, one.hint && `: ${one.hint}`)));
  value.mark?.(found.length ? mistake.id : null);
}

// A row that the person made, with a name of its own.
function ownRow(edit, rows, row, what, removed) {
  const box = (member, label) => h('input.code', {
    type: 'text',
    value: row[member],
    'aria-label': label,
    spellcheck: 'false',
    autocomplete: 'off',
    oninput: (event) => {
      row[member] = event.target.value;
      edit.changed();
    },
  });
  const tick = h('input', {
    type: 'checkbox',
    checked: row.on,
    'aria-label': `Send this ${what}`,
    onchange: () => {
      row.on = tick.checked;
      edit.changed();
    },
  });
  const mistake = h('p.mistake', { id: unique('mistake'), hidden: true });
  const remove = h('button.plain.small', {
    type: 'button',
    'aria-label': `Remove the ${what} ${row.name}`,
    onclick: () => {
      rows.splice(rows.indexOf(row), 1);
      edit.changed();
      removed();
    },
  }, 'Remove');
  const value = h('div', box('value', `Value of the ${what}`));
  const elements = h('tr', h('td', tick), h('td', box('name', `Name of the ${what}`)), h('td.entry', value, mistake),
    h('td.about', what === 'parameter' && h('small.quiet', PLACES[row.in]), ' ', remove));
  return { elements, optional: true, told: (preview) => tell(preview, row, mistake, value) };
}

// The tab "Headers".
export function headers(edit) {
  const { draft } = edit;
  const rows = draft.headers.map((row) => ownRow(edit, draft.headers, row, 'header', () => edit.redraw()));
  const written = h('tbody');
  const add = h('button.plain', {
    type: 'button',
    onclick: () => {
      draft.headers.push({ name: '', in: 'header', value: '', on: true });
      edit.changed();
      edit.redraw();
      edit.panel.querySelector('tbody tr:last-child td:nth-child(2) input')?.focus();
    },
  }, 'Add a header');
  const element = h('div',
    rows.length > 0 && h('div.scroll', h('table.list.entries', head('Send', 'Name', 'Value', 'Remove'), h('tbody', rows.map((row) => row.elements)))),
    h('p.actions', add),
    h('h3', 'Written for you'),
    h('div.scroll', h('table.list', head('Name', 'Value', 'Where it comes from'), written)));
  const told = (preview) => {
    rows.forEach((row) => row.told(preview));
    const own = new Set(draft.headers.filter((row) => row.on).map((row) => row.name.toLowerCase()));
    const others = preview.headers.filter((one) => !own.has(one.name.toLowerCase()));
    replace(written, others.map((one) => h('tr', h('th', { scope: 'row' }, h('code', one.name)),
      h('td', h('code', one.value)), h('td', one.from))));
  };
  return { element, told };
}

// The tab "Authorization": what the workspace says, or the request's own.
export function authorization(edit) {
  const onChange = (value) => {
    edit.draft.authorization = value;
    edit.changed();
  };
  return { element: h('div', authorizationForm({ value: edit.draft.authorization ?? null, onChange, inherit: true })) };
}
