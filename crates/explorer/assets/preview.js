// The tabs "What will be sent" and "Code".

import { post } from './api.js';
import { app } from './app.js';
import { h, later, replace } from './dom.js';

// What goes over the wire, each part with where it comes from.
export function preview(edit) {
  const element = h('div.sent');
  const told = (preview) => {
    const { method, url, parts, headers, body, variables } = preview;
    const whole = parts?.length ? parts.map((part) => h('span.part', { title: part.from }, part.text)) : url;
    replace(element,
      h('h3', 'Address'),
      h('pre.wire', h('code', `${method} `, whole)),
      parts?.length > 0 && table(['Part', 'Where it comes from'], parts.map((part) => [h('code', part.text), part.from])),
      variables.length > 0 && [h('h3', 'Variables'), table(['Variable', 'Value', 'Where it comes from'], variables.map(variable))],
      h('h3', 'Headers'),
      table(['Header', 'Value', 'Where it comes from'], headers.map((one) => [h('code', one.name), h('code', one.value), one.from])),
      h('h3', 'Body'),
      body ? h('pre.wire', { tabindex: '0', 'aria-label': 'The body that is sent' }, h('code', body)) : h('p.quiet', 'None.'));
  };
  if (!edit.preview) replace(element, h('p.quiet', 'One moment…'));
  return { element, told };
}

const variable = (one) => [
  h('code', `{{${one.name}}}`),
  one.missing ? h('span.badge.bad', 'no value') : h('code', one.secret ? '********' : one.value),
  one.from || (one.missing ? 'nowhere: add it to the environment' : ''),
];

const table = (names, rows) => h('div.scroll', h('table.list',
  h('thead', h('tr', names.map((name) => h('th', { scope: 'col' }, name)))),
  h('tbody', rows.map((cells) => h('tr', cells.map((cell, at) => (at ? h('td', { 'data-label': names[at] }, cell) : h('th', { scope: 'row' }, cell))))))));

const LANGUAGES = {
  curl: 'curl', python: 'Python', powershell: 'PowerShell', javascript: 'JavaScript', go: 'Go', rust: 'Rust',
};
let language = 'curl';

// The request as code in a language, without secrets.
export function code(edit) {
  const text = h('code');
  const note = h('span.hint', { role: 'status' });
  let asked;
  const load = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await post('/samples', { request: edit.draft, language }, { signal: asked.signal });
      text.textContent = answer.text;
    } catch (error) {
      if (error.name !== 'AbortError') text.textContent = error.hint ? `${error.message}: ${error.hint}` : error.message;
    }
  };
  const again = later(250, load);
  const choice = h('select', {
    'aria-label': 'Language',
    onchange: (event) => {
      language = event.target.value;
      load();
    },
  }, Object.entries(LANGUAGES).map(([name, label]) => h('option', { value: name, selected: name === language }, label)));
  const copy = h('button.plain', {
    type: 'button',
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        app.say('Copied');
      } catch {
        getSelection().selectAllChildren(text);
        note.textContent = 'It is selected: copy it with Ctrl+C.';
      }
    },
  }, 'Copy');
  const element = h('div', h('div.toolbar', choice, copy, note), h('pre.sample', { tabindex: '0', 'aria-label': 'The request as code' }, text));
  load();
  return { element, told: () => again() };
}
