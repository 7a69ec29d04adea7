// A control for one value, by what the definition says about it. The value is a text, as a draft has it: the
// items of a list one per line. Wherever something else is shown than a text, a switch leads to the text, so
// that `{{variables}}` can be written everywhere.

import { h, replace } from './dom.js';

// `about` has kind, format, values, limits, example. `control(about, value, label, changed)` gives the element;
// `element.show(value)` shows another value, `element.mark(id)` the mistake that the element with this id tells.
export function control(about, value, label, changed) {
  const element = h('div.typed');
  const kind = typeOf(about);
  const told = (next) => {
    value = next;
    changed(next);
  };
  let plain = !fits(kind, about, value);
  let main;
  const draw = () => {
    main = (plain ? text : MAKERS[kind])(about, value, label, told);
    const toggle = SWITCHED.has(kind) && h('button.plain.braces', {
      type: 'button',
      'aria-pressed': String(plain),
      'aria-label': `Write ${label} as text`,
      title: 'Write it as text, for {{variables}}',
      onclick: () => {
        plain = !plain;
        if (!plain && !fits(kind, about, value)) told(EMPTY[kind]?.(about) ?? '');
        draw();
        element.querySelector('.braces').focus();
      },
    }, '{{ }}');
    replace(element, main, toggle);
  };
  element.show = (next) => {
    if (next === value) return;
    value = next;
    const was = plain;
    plain = !fits(kind, about, value);
    // The field itself stays, so that whoever is in it stays there.
    if (plain === was && main.matches('input.code, textarea')) main.value = value;
    else draw();
  };
  element.mark = (id) => {
    for (const one of element.querySelectorAll('input, select, textarea')) {
      if (id) one.setAttribute('aria-invalid', 'true');
      else one.removeAttribute('aria-invalid');
      if (id) one.setAttribute('aria-describedby', id);
      else one.removeAttribute('aria-describedby');
    }
  };
  draw();
  return element;
}

const SWITCHED = new Set(['choice', 'choices', 'switch']);

function typeOf({ kind = 'string', format, values = [] }) {
  const isList = kind.startsWith('list');
  if (values.length) return isList ? 'choices' : 'choice';
  if (isList) return 'list';
  if (kind === 'boolean') return 'switch';
  if (format === 'date-time' || format === 'date') return format;
  return /object|map|any/.test(kind) ? 'list' : 'text';
}

function fits(kind, { values }, value) {
  if (kind === 'choice') return value === '' || values.map(String).includes(value);
  if (kind === 'choices') return lines(value).every((one) => values.map(String).includes(one));
  return kind !== 'switch' || value === 'true' || value === 'false' || value === '';
}

const EMPTY = { switch: () => 'false', choice: ({ values }) => String(values[0]) };
const lines = (value) => value.split('\n').filter(Boolean);

const text = ({ kind = '', example }, value, label, changed) => h('input.code', {
  type: 'text',
  value,
  'aria-label': label,
  spellcheck: 'false',
  autocomplete: 'off',
  inputmode: kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : undefined,
  placeholder: example == null || example === '' ? undefined : `for example ${String(example).slice(0, 60)}`,
  oninput: (event) => changed(event.target.value),
});

const MAKERS = {
  text,
  choice: ({ values }, value, label, changed) => {
    const options = values.map(String).map((one) => h('option', { value: one, selected: one === value }, one));
    const none = h('option', { value: '', selected: value === '' }, '—');
    return h('select', { 'aria-label': label, onchange: (event) => changed(event.target.value) }, none, options);
  },
  choices: ({ values }, value, label, changed) => {
    const chosen = new Set(lines(value));
    const one = (name) => h('label.choice', h('input', {
      type: 'checkbox',
      checked: chosen.has(name),
      onchange: (event) => {
        if (event.target.checked) chosen.add(name);
        else chosen.delete(name);
        changed([...chosen].join('\n'));
      },
    }), name);
    return h('fieldset.several', h('legend.unseen', label), values.map(String).map(one));
  },
  switch: (_, value, label, changed) => {
    const said = h('span', value || 'not set');
    return h('label.onoff', h('input', {
      type: 'checkbox',
      role: 'switch',
      'aria-label': label,
      checked: value === 'true',
      onchange: (event) => {
        said.textContent = String(event.target.checked);
        changed(said.textContent);
      },
    }), said);
  },
  list: ({ kind }, value, label, changed) => h('textarea.code', {
    value,
    rows: String(Math.min(6, Math.max(2, value.split('\n').length))),
    'aria-label': label,
    spellcheck: 'false',
    placeholder: kind.startsWith('list') ? 'one per line' : undefined,
    oninput: (event) => changed(event.target.value),
  }),
  'date-time': (about, value, label, changed) => moment(about, value, label, changed, 'datetime-local', {
    read: (written) => {
      const at = new Date(written);
      if (Number.isNaN(at.valueOf())) return '';
      return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
    },
    write: (picked) => `${new Date(picked).toISOString().slice(0, 19)}Z`,
    title: 'Pick the moment, in your time; it is written in UTC',
  }),
  date: (about, value, label, changed) => moment(about, value, label, changed, 'date', {
    read: (written) => (/^\d{4}-\d\d-\d\d$/.test(written) ? written : ''),
    write: (picked) => picked,
    title: 'Pick the day',
  }),
};

// A moment as text (RFC 3339), and a picker that writes it.
function moment(about, value, label, changed, type, { read, write, title }) {
  const picker = h('input', {
    type,
    step: type === 'date' ? undefined : '1',
    value: value && read(value),
    title,
    'aria-label': `${title}: ${label}`,
    onchange: (event) => {
      if (!event.target.value) return;
      written.value = write(event.target.value);
      changed(written.value);
    },
  });
  const written = text(about, value, label, (next) => {
    picker.value = next && read(next);
    changed(next);
  });
  return h('div.moment', written, picker);
}
