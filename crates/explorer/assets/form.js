// A form for a JSON value, by its schema: objects with their fields, lists, maps. It changes the nodes of json.js in
// place. Fields that need not be there are off until they are switched on; what lies deep is drawn when it is opened.

import { fill, h, replace, unique } from './dom.js';
import { control } from './inputs.js';
import { NoJson, parse, print } from './json.js';
import { meaning } from './parameters.js';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const VARIABLE = /^\{\{[^{}\n]*\}\}$/;

// `holder.node` is the value. `told(mistakes)` shows mistakes at their fields, and gives those back that have none.
export function form(shape, holder, changed) {
  const places = new Map();
  const context = { places, changed };
  const element = h('div.form', value(context, shape, slot(holder, 'node'), '', 'Body'));
  return { element, told: (mistakes) => tell(places, mistakes) };
}

function tell(places, mistakes) {
  const left = [];
  const marked = new Map();
  for (const one of mistakes) {
    const place = places.get(one.pointer);
    if (place?.note.isConnected) marked.set(one.pointer, [...(marked.get(one.pointer) ?? []), one.what]);
    else left.push(one);
  }
  for (const [pointer, { note, input }] of places) {
    const what = marked.get(pointer);
    note.hidden = !what;
    note.textContent = what?.join('; ') ?? '';
    input.mark?.(what ? note.id : null);
  }
  return left;
}

// Where a node is kept: to be read and to be replaced.
const slot = (object, key) => ({
  get: () => object[key],
  set: (node) => {
    object[key] = node;
  },
});

function value(context, shape, at, pointer, label) {
  const { kind } = shape;
  const node = at.get();
  const note = h('p.mistake', { id: unique('mistake'), hidden: true });
  const input = entry(context, shape, at, pointer, label);
  context.places.set(pointer, { note, input });
  const isPlain = shape.nullable && !/^(object|list|map)/.test(kind);
  // What is wrong with a whole stands above it.
  if (!isPlain) return /^(object|list|map)/.test(kind) ? [note, input] : [input, note];
  if (node.kind === 'null') return [input, note];
  const nothing = h('button.plain.braces', {
    type: 'button',
    title: 'Send null in place of a value',
    'aria-label': `Send null as ${label}`,
    onclick: () => {
      at.set({ kind: 'null' });
      context.changed();
      replace(row, h('code', 'null'));
    },
  }, 'null');
  const row = h('div.typed', input, nothing);
  return [row, note];
}

function entry(context, shape, at, pointer, label) {
  const { kind, fields } = shape;
  const node = at.get();
  if (fields && kind === 'object' && node.kind === 'object') return object(context, fields, node, pointer);
  if (/^list/.test(kind) && node.kind === 'array') return list(context, inner(shape), node, pointer, label);
  if (/^map/.test(kind) && node.kind === 'object') return map(context, inner(shape), node, pointer, label);
  const single = /^(string|integer|number|boolean)$/.test(kind) && !/object|array/.test(node.kind);
  return single ? simple(context, shape, at, label) : raw(context, at, label);
}

// What a list or a map holds.
function inner(shape) {
  const kind = shape.kind.replace(/^(list|map)( of )?/, '') || (shape.fields ? 'object' : 'any');
  const { fields, again, deeper } = shape;
  return { kind, fields, again, deeper, values: shape.kind.startsWith('list') ? shape.values : undefined };
}

function simple(context, shape, at, label) {
  const node = at.get();
  const text = node.value ?? node.text ?? node.kind;
  return control({ ...shape, values: shape.values?.map(String) }, text, label, (next) => {
    at.set(typed(shape.kind, next));
    context.changed();
  });
}

// What somebody typed, as a value of this kind as far as it is one. What is none stays text, and is a mistake that
// the check tells.
export function typed(kind, text) {
  if (kind !== 'string') {
    if (VARIABLE.test(text)) return { kind: 'variable', text };
    if (/^(integer|number)$/.test(kind) && NUMBER.test(text)) return { kind: 'number', text };
    if (kind === 'boolean' && /^(true|false)$/.test(text)) return { kind: text };
  }
  return { kind: 'string', value: text };
}

// A value that the form has no fields for, as JSON.
function raw(context, at, label) {
  const note = h('p.mistake', { id: unique('mistake'), hidden: true });
  const area = h('textarea.code', {
    rows: '3',
    value: print(at.get()),
    'aria-label': `${label}, as JSON`,
    spellcheck: 'false',
    oninput: () => {
      try {
        at.set(parse(area.value, { variables: true }));
        note.hidden = true;
        area.removeAttribute('aria-describedby');
        context.changed();
      } catch (error) {
        if (!(error instanceof NoJson)) throw error;
        note.hidden = false;
        note.textContent = `Line ${error.line}, column ${error.column}: ${error.message}`;
        area.setAttribute('aria-describedby', note.id);
      }
    },
  });
  return h('div', area, note);
}

function object(context, fields, node, pointer) {
  const known = new Set(fields.map((field) => field.name));
  const others = node.members.filter(([name]) => !known.has(name));
  const shown = fields.filter(({ shape }) => !shape.readOnly);
  const ordered = [...shown.filter((field) => field.required), ...shown.filter((field) => !field.required)];
  return h('div.fields', ordered.map((field) => one(context, field, node, pointer)),
    others.map((member) => h('div.field', h('span.label', h('code', member[0]), h('span.badge.quiet', 'not in the definition')),
      raw(context, slot(member, 1), member[0]))));
}

const nested = ({ kind, fields }) => kind === 'object' && fields || /^(list|map)/.test(kind);
const below = (pointer, name) => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

// A field of an object: whether it is there, and its value.
function one(context, { name, required, shape }, node, pointer) {
  const find = () => node.members.find(([known]) => known === name);
  const place = h('div.content');
  const element = h('div.field', { 'data-field': below(pointer, name) });
  const fold = () => {
    replace(place);
    const member = find();
    if (!member) return;
    const draw = () => fill(place, value(context, shape, slot(member, 1), below(pointer, name), name));
    if (!nested(shape)) return draw();
    const details = h('details', { open: pointer.split('/').length < 3 }, h('summary', shape.kind, h('span.unseen', ` ${name}`)));
    const inside = h('div.within');
    let drawn = false;
    const unfold = () => {
      if (!details.open || drawn) return;
      drawn = true;
      fill(inside, value(context, shape, slot(member, 1), below(pointer, name), name));
    };
    details.addEventListener('toggle', unfold);
    fill(details, inside);
    unfold();
    return fill(place, details);
  };
  const tick = h('input', {
    type: 'checkbox',
    checked: Boolean(find()),
    'aria-label': `Send ${name}`,
    onchange: () => {
      if (tick.checked) node.members.push([name, fresh(shape)]);
      else node.members.splice(node.members.indexOf(find()), 1);
      fold();
      context.changed();
    },
  });
  fold();
  return fill(element, [
    h('div.label', tick, h('code', name), required && h('span.required', 'required'), shape.deprecated && h('span.badge.quiet', 'deprecated')),
    h('div.about', meaning({ ...shape, default: undefined })), place,
  ]);
}

// A value to begin with: what the definition shows, else the least that there can be.
function fresh(shape) {
  const { kind, example, values, fields } = shape;
  if (kind === 'object' || kind.startsWith('map')) {
    const needed = kind === 'object' ? (fields ?? []).filter((field) => field.required) : [];
    return { kind: 'object', members: needed.map((field) => [field.name, fresh(field.shape)]) };
  }
  if (kind.startsWith('list')) return { kind: 'array', items: [] };
  const first = example ?? values?.[0];
  if (first !== undefined && first !== null) return exactly(first);
  if (/^(integer|number)$/.test(kind)) return { kind: 'number', text: '0' };
  return kind === 'boolean' ? { kind: 'false' } : kind === 'any' ? { kind: 'null' } : { kind: 'string', value: '' };
}

const exactly = (given) => parse(JSON.stringify(given));

function list(context, shape, node, pointer, label) {
  const place = h('ol.items');
  const draw = () => replace(place, node.items.map((_, at) => h('li',
    h('div.content', value(context, shape, slot(node.items, at), `${pointer}/${at}`, `${label} ${at + 1}`)),
    remove(`Remove ${label} ${at + 1}`, () => {
      node.items.splice(at, 1);
      draw();
      context.changed();
    }))));
  draw();
  return h('div', place, h('button.plain.small', {
    type: 'button',
    onclick: () => {
      node.items.push(fresh(shape));
      draw();
      context.changed();
      place.lastChild.querySelector('input, select, textarea')?.focus();
    },
  }, node.items.length || shape.kind === 'object' ? `Add to ${label}` : `Add a value to ${label}`));
}

function map(context, shape, node, pointer, label) {
  const place = h('ul.items');
  const draw = () => replace(place, node.members.map((member, at) => h('li',
    h('input.code', {
      type: 'text',
      value: member[0],
      'aria-label': `Name ${at + 1} in ${label}`,
      oninput: (event) => {
        [member[0]] = [event.target.value];
        context.changed();
      },
    }),
    h('div.content', value(context, shape, slot(member, 1), below(pointer, member[0]), `Value ${at + 1} in ${label}`)),
    remove(`Remove ${member[0]}`, () => {
      node.members.splice(at, 1);
      draw();
      context.changed();
    }))));
  draw();
  return h('div', place, h('button.plain.small', {
    type: 'button',
    onclick: () => {
      node.members.push(['', fresh(shape)]);
      draw();
      context.changed();
      place.lastChild.querySelector('input').focus();
    },
  }, `Add to ${label}`));
}

const remove = (label, act) => h('button.plain.small', { type: 'button', 'aria-label': label, title: label, onclick: act }, '×');
