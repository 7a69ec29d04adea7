// The frame that the parts of the page hang themselves into: the bar above, the tabs at the side, and the
// views, one for each address behind the `#`.

import { get, post } from './api.js';
import { h, replace, fill } from './dom.js';

const listeners = new Map();
const routes = [];
const lazy = [];
const tabs = [];
const kept = new Map();
const saving = new Set();
let leave;

export const app = {
  // The workspace as the server shows it.
  workspace: null,

  // What happens: 'workspace' when it was loaded anew, 'view' when another view is shown, and whatever the
  // parts tell each other. What `on` gives back ends the listening.
  on(event, act) {
    if (!listeners.has(event)) listeners.set(event, []);
    listeners.get(event).push(act);
    return () => listeners.set(event, listeners.get(event).filter((one) => one !== act));
  },
  emit(event, ...given) {
    for (const act of listeners.get(event) ?? []) act(...given);
  },

  // Loads the workspace anew, and tells everybody.
  async reload() {
    app.workspace = await get('');
    app.emit('workspace', app.workspace);
    return app.workspace;
  },

  // The view for addresses of this form: `route('/op/:definition/:operation', render)`. `render(params,
  // element)` fills the element, and may give back what is to be done when another view takes its place.
  route(pattern, render) {
    const names = [];
    const source = pattern.replace(/:(\w+)/g, (_, name) => (names.push(name), '([^/]+)'));
    routes.push({ pattern: new RegExp(`^${source}$`), names, render });
  },

  // Scripts that are loaded when one of their views is first wanted: `later(/^\/op\//, load)`. They bring the
  // routes.
  later(pattern, load) {
    lazy.push({ pattern, load });
  },

  // The address of a view, its parts encoded: `app.link('op', definition, operation)`.
  link: (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`,
  go(...parts) {
    location.hash = app.link(...parts);
  },

  // A tab at the side: `{ id, label, render(element) }`. It is rendered when it is first shown.
  tab(tab) {
    tabs.push(tab);
  },
  showTab(id) {
    show(tabs.find((tab) => tab.id === id) ?? tabs[0]);
  },

  // Opens the side where there is no room for it beside the view.
  showSide(isOpen = true) {
    side.toggleAttribute('data-open', isOpen);
    opener.setAttribute('aria-expanded', String(isOpen));
  },

  // Something for the bar above; small orders come first.
  bar(order, element) {
    element.dataset.order = order;
    const next = [...bar.children].find((one) => Number(one.dataset.order) > order);
    bar.insertBefore(element, next ?? null);
  },

  // Answers of the server that do not change while the definition does not.
  library: (definition) => keep(`/definitions/${definition}/library`),
  operation: (definition, operation) =>
    keep(`/definitions/${definition}/operations/${encodeURIComponent(operation)}`),
  forget() {
    kept.clear();
  },

  // What is on its way to the server when its view is left; whatever depends on it waits for that.
  saving(promise) {
    const settled = promise.catch(() => {}).then(() => saving.delete(settled));
    saving.add(settled);
  },
  saved: () => Promise.all(saving),

  // Tells the person: for a moment, and to screen readers. `kind` is 'good' or 'bad'.
  say(text, kind = 'good') {
    const note = h('p', { 'data-kind': kind }, text);
    toasts.append(note);
    setTimeout(() => note.remove(), kind === 'bad' ? 12000 : 5000);
  },
  fail(error) {
    if (error?.name === 'AbortError') return;
    app.say(error.hint ? `${error.message}: ${error.hint}` : error.message, 'bad');
  },
};

// A button where secrets would go to an address that somebody else chose; nothing for other failures.
export function trusting(error) {
  const origin = error.details?.trust;
  if (!origin) return null;
  const place = h('p.buttons');
  const trust = async () => {
    try {
      await post('/trust', { origin });
      replace(place, h('span', { role: 'status' }, 'It is trusted now. Do it again.'));
    } catch (failure) {
      app.fail(failure);
    }
  };
  return replace(place, h('button', { type: 'button', onclick: trust }, `I trust ${origin}`));
}

function keep(path) {
  if (!kept.has(path)) {
    const asked = get(path);
    asked.catch(() => kept.delete(path));
    kept.set(path, asked);
  }
  return kept.get(path);
}

const root = document.getElementById('explorer');
const bar = h('div.explorer-tools');
const tabList = h('div.explorer-tabs', { role: 'tablist', 'aria-label': 'Side' });
const panel = h('div.explorer-panel', { role: 'tabpanel', id: 'side-panel', tabindex: '-1' });
const side = h('aside.explorer-side', { id: 'side', 'aria-label': 'Library' }, tabList, panel);
const opener = h('button.plain.explorer-opener', {
  type: 'button',
  'aria-controls': 'side',
  'aria-expanded': 'false',
  onclick: () => app.showSide(!side.hasAttribute('data-open')),
}, 'Library');
const view = h('section.explorer-view', { id: 'view', 'aria-live': 'off' });
const toasts = h('div.explorer-toasts', { role: 'status', 'aria-live': 'polite' });

function show(tab) {
  for (const one of tabs) {
    one.button.setAttribute('aria-selected', String(one === tab));
    one.button.tabIndex = one === tab ? 0 : -1;
  }
  if (!tab.element) {
    tab.element = h('div');
    tab.render(tab.element);
  }
  panel.setAttribute('aria-labelledby', tab.button.id);
  replace(panel, tab.element);
}

function buildTabs() {
  for (const tab of tabs) {
    tab.button = h('button.plain', {
      type: 'button',
      role: 'tab',
      id: `tab-${tab.id}`,
      'aria-controls': 'side-panel',
      onclick: () => show(tab),
    }, tab.label);
  }
  fill(tabList, tabs.map((tab) => tab.button));
  tabList.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = tabs.findIndex((tab) => tab.button.getAttribute('aria-selected') === 'true');
    const next = tabs[(at + step + tabs.length) % tabs.length];
    show(next);
    next.button.focus();
  });
}

// Loads the scripts of a view that is not known yet; the view is shown when they are there.
function bring(path) {
  const at = lazy.findIndex(({ pattern }) => pattern.test(path));
  if (at < 0) return false;
  const [found] = lazy.splice(at, 1);
  found.load().then(display).catch((error) => {
    lazy.push(found);
    app.fail(error);
  });
  return true;
}

function display() {
  const path = location.hash.slice(1) || '/';
  const found = routes.map((route) => [route, route.pattern.exec(path)]).find(([, match]) => match);
  leave?.();
  leave = undefined;
  app.showSide(false);
  view.replaceChildren();
  view.scrollTop = 0;
  if (found) {
    const [route, match] = found;
    const params = Object.fromEntries(route.names.map((name, at) => [name, decodeURIComponent(match[at + 1])]));
    const shown = route.render(params, view);
    if (typeof shown === 'function') leave = shown;
  } else if (bring(path)) {
    return;
  } else {
    replace(view, h('p', 'There is nothing at this address. Choose an operation at the side.'));
  }
  app.emit('view', path);
}

// Begins, once every part has hung itself in.
export async function start() {
  const name = root.querySelector('.explorer-name');
  root.querySelector('noscript')?.remove();
  replace(root, h('header.explorer-bar', opener, name, bar), h('div.explorer-body', side, view), toasts);
  await app.reload();
  buildTabs();
  if (tabs.length) show(tabs[0]);
  window.addEventListener('hashchange', display);
  display();
  root.dataset.ready = 'true';
}
