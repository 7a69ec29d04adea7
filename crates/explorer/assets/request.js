// The request editor: a request of an operation, one that was opened from elsewhere, or a free one. What is being
// filled in stays until the page is loaded again, for each operation by itself, with its last answer.

import { mountAnswer } from './answer.js';
import { post, put } from './api.js';
import { app } from './app.js';
import { coming, dialog, field, h, later, replace } from './dom.js';
import { authorization, headers, parameters } from './parameters.js';
import { code, preview } from './preview.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const PAUSE = 250;

// What is being filled in, by address: {draft, detail, saved, answer, running}.
const kept = new Map();
// The answers that are kept for going back; older ones are let go.
const answered = [];
const ANSWERS = 8;
let current = null;

app.route('/op/:definition/:operation', ({ definition, operation }, element) =>
  view(element, `op/${definition}/${operation}`, async () => ({
    draft: (await post('/draft', { definition, operation })).draft,
  })));
app.route('/request', (_, element) => view(element, 'request', async () => ({ draft: free() })));
app.route('/saved/:id', ({ id }, element) => view(element, `saved/${id}`, async () => {
  const saved = app.workspace.saved.find((one) => one.id === id);
  if (!saved) throw new Error('this request is not saved any more');
  return { draft: structuredClone(saved.request), saved: { id, name: saved.name } };
}));
app.on('open-draft', (draft) => {
  kept.set('request', { draft: structuredClone(draft) });
  if (location.hash === '#/request' && current) current.reopen();
  else app.go('request');
});
app.on('send', () => current?.send?.());
for (const event of ['workspace', 'environment']) app.on(event, () => current?.refresh?.());

const free = () => ({ method: 'GET', url: '{{baseUrl}}/', parameters: [], headers: [], body: null });

function view(element, key, fresh) {
  const here = { reopen: open };
  let close;
  current = here;
  async function open() {
    close?.();
    close = undefined;
    replace(element, h('p.quiet', 'One moment…'));
    try {
      const state = kept.get(key) ?? await fresh();
      const { draft } = state;
      if (draft.definition && draft.operation) {
        const detail = app.operation(draft.definition, draft.operation);
        // A request outlives its operation: it is shown without what the definition said.
        state.detail = await (key.startsWith('op/') ? detail : detail.catch(() => null));
      }
      complete(state);
      kept.set(key, state);
      if (current === here) close = edit(element, state, here);
    } catch (error) {
      if (current === here) replace(element, h('div.alert', h('p', error.message), error.hint && h('p', error.hint)));
    }
  }
  open();
  return () => {
    close?.();
    if (current === here) current = null;
  };
}

// Every parameter of the operation has its row; those that the draft does not name are off.
function complete({ draft, detail }) {
  const rows = draft.parameters;
  const find = (one) => rows.find((row) => row.name === one.name && row.in === one.in);
  const known = (detail?.parameters ?? []).map((one) =>
    find(one) ?? { name: one.name, in: one.in, value: one.example ?? '', on: one.required });
  // What has to be filled in comes first.
  known.sort((a, b) => (b.in === 'path') - (a.in === 'path'));
  draft.parameters = [...known, ...rows.filter((row) => !known.includes(row))];
}

// A free request has a row for each {name} of its address.
function pathRows(draft) {
  const names = new Set([...draft.url.replace(/\{\{[^{}]*\}\}/g, '').matchAll(/\{([^{}]+)\}/g)].map((found) => found[1]));
  const before = draft.parameters.length;
  draft.parameters = draft.parameters.filter((row) => row.in !== 'path' || names.has(row.name));
  let changed = before !== draft.parameters.length;
  for (const name of names) {
    if (draft.parameters.some((row) => row.in === 'path' && row.name === name)) continue;
    draft.parameters.unshift({ name, in: 'path', value: '', on: true });
    changed = true;
  }
  return changed;
}

function edit(element, state, here) {
  const { draft, detail } = state;
  const context = {
    draft,
    detail,
    panel: h('div.request-panel', { role: 'tabpanel', id: 'request-panel', tabindex: '-1' }),
    bodyView: state.bodyView,
    preview: state.preview,
    changed: () => refresh(),
    redraw: () => show(shown, true),
    tell: () => context.preview && panels.get(shown)?.told?.(context.preview),
  };

  const address = addressOf(draft, () => {
    if (!detail && pathRows(draft)) panels.delete(TABS[0]);
    if (!detail && shown === TABS[0] && !panels.has(shown)) show(shown);
    refresh();
  });
  const effective = h('p.request-effective');
  const send = h('button.send', { type: 'button', title: 'Ctrl+Enter', onclick: () => (state.running ? state.running.abort() : here.send()) });
  // The check may be wrong, and a person may want to see what the API says.
  const allTheSame = h('button.plain', { type: 'button', hidden: true, onclick: () => here.send(true) }, 'Send all the same');
  const running = () => {
    replace(send, state.running ? 'Cancel' : 'Send');
    send.classList.toggle('danger', Boolean(state.running));
  };
  const method = detail ? h('span.badge.method', { 'data-method': draft.method }, draft.method) : h('select.method', {
    'aria-label': 'Method',
    onchange: (event) => {
      draft.method = event.target.value;
      refresh();
    },
  }, [...new Set([...METHODS, draft.method])].map((one) => h('option', { value: one, selected: one === draft.method }, one)));

  const mistakesIn = { parameters: (one) => one.parameter != null && !isOwnHeader(draft, one), headers: (one) => isOwnHeader(draft, one), body: inBody };
  const TABS = [
    { id: 'parameters', label: 'Parameters', make: parameters, count: () => draft.parameters.filter((row) => row.on).length },
    { id: 'authorization', label: 'Authorization', make: authorization, count: () => (draft.authorization ? 'own' : 'inherited') },
    { id: 'headers', label: 'Headers', make: headers, count: () => draft.headers.filter((row) => row.on).length },
    { id: 'body', label: 'Body', make: body, count: () => (draft.body ? shortType(draft.body.mediaType) : 0) },
    { id: 'sent', label: 'What will be sent', make: preview, count: () => 0 },
    { id: 'code', label: 'Code', make: code, count: () => 0 },
  ];
  const panels = new Map();
  const tabs = h('div.request-tabs', { role: 'tablist', 'aria-label': 'Request' }, TABS.map((tab) => {
    tab.note = h('span.count');
    tab.button = h('button.plain', {
      type: 'button', role: 'tab', id: `request-${tab.id}`, 'aria-controls': 'request-panel', onclick: () => show(tab),
    }, tab.label, tab.note);
    return tab.button;
  }));
  tabs.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(TABS.indexOf(shown) + step + TABS.length) % TABS.length];
    show(next);
    next.button.focus();
  });
  let shown = TABS.find((tab) => tab.id === state.tab) ?? (detail && !detail.parameters.length && draft.body ? TABS[3] : TABS[0]);

  function show(tab, anew) {
    shown = tab;
    state.tab = tab.id;
    for (const one of TABS) {
      one.button.setAttribute('aria-selected', String(one === tab));
      one.button.tabIndex = one === tab ? 0 : -1;
    }
    context.panel.setAttribute('aria-labelledby', tab.button.id);
    if (anew || !panels.has(tab)) panels.set(tab, tab.make(context));
    replace(context.panel, panels.get(tab).element);
    context.tell();
  }

  function count() {
    const mistakes = context.preview?.mistakes ?? [];
    for (const tab of TABS) {
      const wrong = mistakes.filter(mistakesIn[tab.id] ?? (() => false)).length;
      tab.note.classList.toggle('bad', wrong > 0);
      tab.note.textContent = wrong ? ` ${wrong} ${wrong === 1 ? 'mistake' : 'mistakes'}` : tab.count() ? ` ${tab.count()}` : '';
    }
  }

  let asking;
  let closed = false;
  const ask = later(PAUSE, async () => {
    if (closed) return;
    asking?.abort();
    asking = new AbortController();
    try {
      await app.saved();
      context.preview = await post('/preview', draft, { signal: asking.signal });
      state.preview = context.preview;
      told(context.preview);
      app.emit('draft', draft);
    } catch (error) {
      if (error.name !== 'AbortError') replace(effective, h('span.missing', error.hint ? `${error.message}: ${error.hint}` : error.message));
    }
  });
  function refresh() {
    count();
    ask();
  }
  // What the server says about the draft: shown without drawing anything anew that is being typed in.
  function told(found) {
    const missing = new Set(found.variables.filter((one) => one.missing).map((one) => one.name));
    address.mark(missing);
    allTheSame.hidden = !found.mistakes.length || found.mistakes.some((one) => one.stops);
    // A variable without a value is told by its mark already.
    const others = found.mistakes.filter((one) => one.parameter == null && !inBody(one) && !one.what.startsWith('{{'));
    replace(effective, missing.size ? missingNote(missing) : h('code', found.url), others.map((one) => h('span.missing', one.what, one.hint && `: ${one.hint}`)));
    count();
    context.tell();
  }

  here.refresh = refresh;
  here.send = async (unchecked = false) => {
    if (state.running) return;
    state.running = new AbortController();
    running();
    const sent = structuredClone(draft);
    const place = answerPlace(state);
    if (!place.element.isConnected) element.append(place.element);
    place.running();
    try {
      await app.saved();
      const answer = await post('/send', unchecked ? { ...sent, unchecked } : sent, { signal: state.running.signal });
      place.show(answer, sent);
      reveal(place.element);
      app.emit('answer', answer, sent);
    } catch (error) {
      if (error.name === 'AbortError') place.fail(Object.assign(new Error('cancelled'), { hint: 'the request may have reached the server all the same' }));
      else place.fail(error);
      reveal(place.element);
    } finally {
      state.running = null;
      state.onended?.();
    }
  };
  state.onended = running;
  const onkey = (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    here.send();
  };
  document.addEventListener('keydown', onkey);

  running();
  const save = h('button.plain', { type: 'button', onclick: () => keep(state, here) }, 'Save');
  replace(element, heading(state),
    h('div.request-line', method, address.element, h('div.actions', send, allTheSame, save)), effective, tabs, context.panel);
  if (state.answer) element.append(state.answer.element);
  show(shown);
  if (state.preview) told(state.preview);
  refresh();
  app.emit('draft', draft);
  return () => {
    document.removeEventListener('keydown', onkey);
    closed = true;
    asking?.abort();
    state.bodyView = context.bodyView;
    state.onended = undefined;
  };
}

// The tab "Body", whose scripts come when it is first shown.
function body(edit) {
  let made;
  const element = coming(() => import('./body.js'), (parts) => {
    made = parts.body(edit, inBody);
    queueMicrotask(edit.tell);
    return made.element;
  });
  return { element, told: (preview) => made?.told(preview) };
}

// Whether a mistake is one of the body.
const inBody = ({ pointer, in: place }) => (pointer !== undefined && pointer !== null) || place === 'body';
const shortType = (mediaType) => (/json/i.test(mediaType) ? 'JSON' : mediaType.split(/[/;]/)[1] ?? mediaType);
const isOwnHeader = (draft, one) => one.in === 'header' && draft.headers.some((row) => row.name === one.parameter);

function missingNote(missing) {
  const names = [...missing].map((name) => h('code', `{{${name}}}`));
  const active = app.workspace.activeEnvironment;
  return h('span.missing', names.flatMap((name, at) => (at ? [', ', name] : [name])), missing.size > 1 ? ' have no value. ' : ' has no value. ',
    active ? h('a', { href: app.link('environments', active) }, 'Set it in the environment') : 'Choose an environment above.');
}

function heading({ draft, detail, saved }) {
  const title = saved?.name ?? (detail ? detail.summary || detail.id : 'Request');
  return h('header.request-head',
    h('h2', title),
    detail?.deprecated && h('span.badge.quiet', 'deprecated'),
    saved && detail && h('span.quiet', detail.summary || detail.id),
    detail && h('a', { href: app.link('docs', draft.definition, draft.operation) }, 'Documentation'));
}

// The address as a field whose {{variables}} are marked behind the text.
function addressOf(draft, changed) {
  const paint = h('div.paint', { 'aria-hidden': 'true' });
  let missing = new Set();
  const draw = () => replace(paint, draft.url.split(/(\{\{[^{}]*\}\})/).map((piece, at) =>
    (at % 2 ? h('mark', { 'data-missing': missing.has(piece.slice(2, -2).trim()) }, piece) : piece)));
  const input = h('input.code', {
    type: 'text',
    value: draft.url,
    'aria-label': 'Address',
    spellcheck: 'false',
    autocomplete: 'off',
    oninput: () => {
      draft.url = input.value;
      draw();
      changed();
    },
    onscroll: () => {
      paint.scrollLeft = input.scrollLeft;
    },
  });
  draw();
  const mark = (names) => {
    missing = names;
    draw();
    paint.scrollLeft = input.scrollLeft;
  };
  return { element: h('div.address', paint, input), mark };
}

// What came is seen: an answer below the window, or at its lower edge, comes up.
function reveal(element) {
  if (element.getBoundingClientRect().top > window.innerHeight * 0.6) element.scrollIntoView({ block: 'start' });
}

// Where the answer is shown, made when it is first needed.
function answerPlace(state) {
  if (!state.answer) {
    const element = h('section.request-answer', { 'aria-label': 'Answer' });
    state.answer = Object.assign(mountAnswer(element), { element });
  }
  const at = answered.indexOf(state);
  if (at >= 0) answered.splice(at, 1);
  answered.push(state);
  if (answered.length > ANSWERS) {
    const old = answered.shift();
    old.answer.clear();
    old.answer = undefined;
  }
  return state.answer;
}

// Saves under a name; what was saved already may be replaced.
async function keep(state, here) {
  const name = h('input', { type: 'text', required: true, value: state.saved?.name ?? state.detail?.summary ?? '' });
  const choice = await dialog('Save this request', (close) => h('form', {
    onsubmit: (event) => {
      event.preventDefault();
      close(event.submitter?.value || 'new');
    },
  }, field('Name', name, 'It is kept in the workspace, without secrets.'), h('footer',
    h('button.plain', { type: 'button', onclick: () => close() }, 'Cancel'),
    state.saved && h('button.plain', { type: 'submit', value: 'new' }, 'Save as another'),
    h('button', { type: 'submit', value: state.saved ? 'same' : 'new' }, 'Save'))));
  if (!choice) return;
  const saved = { name: name.value.trim(), request: state.draft };
  try {
    if (choice === 'same') {
      await put(`/saved/${state.saved.id}`, saved);
      state.saved.name = saved.name;
    } else {
      await post('/saved', saved);
    }
    await app.reload();
    app.say(`Saved as “${saved.name}”`);
    if (choice === 'same') here.reopen();
  } catch (error) {
    app.fail(error);
  }
}
