// What was sent before, and what was saved under a name.

import { app } from './app.js';
import { get, put, remove } from './api.js';
import { confirm, dialog, field, h, replace } from './dom.js';

const attempt = (act) => () => act().catch((error) => app.fail(error));
const small = (label, name, onclick) => h('button.plain', { type: 'button', 'aria-label': `${label}: ${name}`, onclick }, label);
const where = (url) => url.replace(/^(?:\{\{\w+\}\}|https?:\/\/[^/]+)/, '') || url;

function entry(open, method, text, about, ...tools) {
  return h('li', h('button.kept-open', { type: 'button', onclick: open },
    h('span.method', { 'data-method': method }, method), ' ', h('span', text), about && [' ', about]), tools);
}

// Asks for a name.
export function askName(title, label, name, action) {
  return dialog(title, (close) => {
    const input = h('input', { value: name, required: true, maxlength: 100, autofocus: true });
    return h('form', { onsubmit: (event) => (event.preventDefault(), close(input.value)) }, field(label, input),
      h('footer', h('button.plain', { type: 'button', onclick: () => close() }, 'Cancel'), h('button', { type: 'submit' }, action)));
  });
}

app.tab({
  id: 'saved',
  label: 'Saved',
  render(element) {
    const draw = () => replace(element, app.workspace.saved.length
      ? h('ul.kept', app.workspace.saved.map(saved))
      : h('p.quiet', 'Nothing is saved yet. Fill in a request and press Save: it is here then, under a name of yours.'));
    app.on('workspace', draw);
    draw();
  },
});

function saved({ id, name, request }) {
  const rename = attempt(async () => {
    const next = await askName('Rename a saved request', 'Name', name, 'Rename');
    if (!next) return;
    await put(`/saved/${id}`, { name: next, request });
    await app.reload();
  });
  const drop = attempt(async () => {
    if (!(await confirm(`Remove ${name}?`, 'The saved request is gone then, for everybody who shares this workspace.', 'Remove'))) return;
    await remove(`/saved/${id}`);
    await app.reload();
  });
  return entry(() => app.go('saved', id), request.method, name, h('small', where(request.url)), small('Rename', name, rename), small('Remove', name, drop));
}

app.tab({
  id: 'history',
  label: 'History',
  render(element) {
    const load = attempt(async () => draw(element, await get('/history'), load));
    app.on('answer', load);
    load();
  },
});

function draw(element, entries, load) {
  const clear = attempt(async () => {
    if (!(await confirm('Clear the history?', 'What was sent is forgotten. Saved requests stay.', 'Clear'))) return;
    await remove('/history');
    await load();
  });
  replace(element, !entries.length ? h('p.quiet', 'Nothing was sent yet. Every request that you send is listed here, without its secrets.') : [
    h('div.kept-head', h('p.quiet', entries.length === 1 ? '1 request' : `${entries.length} requests`),
      h('button.plain', { type: 'button', onclick: clear }, 'Clear')),
    h('ul.kept', entries.map((one) => {
      const path = where(one.url);
      const kind = one.status < 300 ? 'good' : one.status < 400 ? 'quiet' : 'bad';
      const forget = attempt(async () => {
        await remove(`/history/${one.id}`);
        await load();
      });
      return entry(() => app.emit('open-draft', one.draft), one.method, path, [
        h(`span.badge.${kind}`, one.status || 'no answer'), ' ',
        h('time', { datetime: one.at, title: new Date(one.at).toLocaleString() }, ago(one.at)),
      ], small('Remove', path, forget));
    })),
  ]);
}

// A time as people say it.
export function ago(at) {
  const seconds = Math.round((new Date(at) - Date.now()) / 1000);
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return 'just now';
}

