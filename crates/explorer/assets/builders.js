// Builders of filter, sort and select: they know what a list can be filtered and sorted by, write the text, and
// show a text that somebody wrote as far as it is simple.

import { h, replace, unique } from './dom.js';
import { control } from './inputs.js';
import { readFilter, readSelect, readSort, writeFilter, writeSelect, writeSort } from './expression.js';

// The builder for a parameter of this operation; none when the definition does not say what there is.
// `element.read(text)` shows another text.
export function builder(name, detail, text, changed) {
  const [known, make] = {
    filter: [detail.filterable, filter],
    sort: [detail.sortable, sort],
    select: [detail.selectable, select],
  }[name] ?? [];
  if (!known?.length) return null;
  const element = h('div.build');
  let shown;
  const wrote = (next) => {
    shown = next;
    changed(next);
  };
  element.read = (next) => {
    if (next === shown) return;
    shown = next;
    replace(element, make(known, next, wrote) ?? h('p.quiet', 'This is more than the builder can show. It stays as you wrote it; clear the text to build it here.'));
  };
  element.read(text);
  return element;
}

// Operators in words, in the order in which they are offered; those of the second list only where there is an order.
const OPERATORS = [
  ['eq', 'is'], ['ne', 'is not'], ['in', 'is one of'],
  ['contains', 'contains'], ['startswith', 'begins with'], ['endswith', 'ends with'],
  ['gt', 'is more than'], ['ge', 'is at least'], ['lt', 'is less than'], ['le', 'is at most'],
  ['present', 'has a value'], ['empty', 'has no value'],
];

function operatorsOf({ kind, format, values }) {
  const isText = /string|any/.test(kind) && !values?.length && !/^date/.test(format ?? '');
  const isOrdered = /integer|number|any/.test(kind) || /^date/.test(format ?? '') || isText;
  return OPERATORS.filter(([name]) => {
    if (/with$|contains/.test(name)) return isText && !kind.startsWith('list');
    if (/^[gl][te]$/.test(name)) return isOrdered && !kind.startsWith('list');
    return name !== 'in' || kind !== 'boolean';
  });
}

function filter(properties, text, changed) {
  const groups = readFilter(text);
  if (!groups) return null;
  const kinds = new Map(properties.map((one) => [one.name, one.kind]));
  const about = (name) => properties.find((one) => one.name === name)
    ?? properties.find((one) => one.name.toLowerCase() === name.toLowerCase())
    ?? { name, kind: 'any' };
  const place = h('div');
  const write = () => changed(writeFilter(groups, kinds));
  const draw = () => replace(place, groups.map((group, at) => [
    at ? h('p.joint', 'or') : null,
    h('div.conditions', group.map((condition, index) => row(group, condition, index)),
      add('and …', `Add a condition that must hold too`, group)),
  ]), groups.length ? add('or …', 'Add a condition that may hold instead') : add('Add a condition', 'Add a condition'));
  const add = (label, title, group) => h('button.plain', {
    type: 'button',
    title,
    onclick: () => {
      const condition = { attribute: properties[0].name, operator: 'eq', values: [''] };
      if (group) group.push(condition);
      else groups.push([condition]);
      write();
      draw();
    },
  }, label);
  const row = (group, condition, index) => {
    const property = about(condition.attribute);
    const values = h('span.value-of');
    const drawValue = () => replace(values, valueOf(condition, about(condition.attribute), write));
    drawValue();
    return h('div.condition', index ? h('span.joint', 'and') : null,
      choice('Property', namesOf(properties, condition.attribute), condition.attribute, (name) => {
        condition.attribute = name;
        if (!operatorsOf(about(name)).some(([one]) => one === condition.operator)) condition.operator = 'eq';
        if (about(name).values?.length || about(name).kind === 'boolean') condition.values = [about(name).values?.[0] ?? 'true'];
        write();
        draw();
      }),
      choice('Comparison', operatorsOf(property), condition.operator, (operator) => {
        condition.operator = operator;
        if (operator !== 'in') condition.values = condition.values.slice(0, 1);
        write();
        drawValue();
      }),
      values,
      button('×', `Remove the condition on ${condition.attribute}`, () => {
        group.splice(index, 1);
        if (!group.length) groups.splice(groups.indexOf(group), 1);
        write();
        draw();
      }));
  };
  draw();
  return place;
}

function valueOf(condition, property, write) {
  const { operator, values } = condition;
  if (operator === 'empty' || operator === 'present') return null;
  const several = operator === 'in';
  const kind = several ? `list of ${property.kind}` : property.kind.replace(/^list of /, '');
  return control({ ...property, kind, example: undefined }, values.join('\n'), `Value of ${property.name}`, (text) => {
    condition.values = several ? text.split('\n').filter(Boolean) : [text];
    write();
  });
}

const namesOf = (properties, present) => {
  const names = properties.map((one) => [one.name, one.name]);
  return names.some(([name]) => name === present) ? names : [[present, present], ...names];
};

const choice = (label, options, value, changed) => h('select', {
  'aria-label': label,
  onchange: (event) => changed(event.target.value),
}, options.map(([name, said]) => h('option', { value: name, selected: name === value }, said)));

const button = (sign, label, act, disabled) =>
  h('button.plain.small', { type: 'button', 'aria-label': label, title: label, disabled: Boolean(disabled), onclick: act }, sign);

function sort(names, text, changed) {
  const keys = readSort(text);
  if (!keys) return null;
  const place = h('div');
  const redraw = () => {
    changed(writeSort(keys));
    draw();
  };
  const move = (at, by) => () => {
    keys.splice(at + by, 0, ...keys.splice(at, 1));
    redraw();
  };
  const draw = () => {
    const left = names.filter((name) => !keys.some((key) => key.attribute === name));
    replace(place, keys.length > 0 && h('ol.keys', keys.map((key, at) => h('li.condition',
      h('span', at ? 'then by' : 'by'),
      choice('Property', namesOf(names.map((name) => ({ name })), key.attribute), key.attribute, (name) => {
        key.attribute = name;
        redraw();
      }),
      choice('Direction', [['asc', 'ascending'], ['desc', 'descending']], key.descending ? 'desc' : 'asc', (way) => {
        key.descending = way === 'desc';
        redraw();
      }),
      button('↑', `Sort by ${key.attribute} earlier`, move(at, -1), at === 0),
      button('↓', `Sort by ${key.attribute} later`, move(at, 1), at === keys.length - 1),
      button('×', `Do not sort by ${key.attribute}`, () => {
        keys.splice(at, 1);
        redraw();
      })))),
    left.length > 0 && h('button.plain', {
      type: 'button',
      onclick: () => {
        keys.push({ attribute: left[0], descending: false });
        redraw();
      },
    }, keys.length ? 'Then by …' : 'Add a property to sort by'));
  };
  draw();
  return place;
}

function select(names, text, changed) {
  const chosen = readSelect(text);
  const all = [...names, ...chosen.filter((name) => !names.includes(name))];
  const count = h('span.quiet');
  const told = () => replace(count, chosen.length ? `${chosen.length} of ${all.length} chosen` : 'none chosen: everything is sent');
  const rows = all.map((name) => h('label.choice', h('input', {
    type: 'checkbox',
    checked: chosen.includes(name),
    onchange: (event) => {
      if (event.target.checked) chosen.push(name);
      else chosen.splice(chosen.indexOf(name), 1);
      told();
      changed(writeSelect(chosen));
    },
  }), h('span', name)));
  const search = h('input', {
    type: 'search',
    id: unique('search'),
    placeholder: 'Search',
    'aria-label': 'Search the properties',
    oninput: () => {
      const word = search.value.trim().toLowerCase();
      rows.forEach((row, at) => {
        row.hidden = !all[at].toLowerCase().includes(word);
      });
    },
  });
  told();
  return h('div', h('div.condition', search, count), h('fieldset.several', h('legend.unseen', 'Properties in the answer'), rows));
}
