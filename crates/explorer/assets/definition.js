// A definition: its outline beside the source, and its problems, each with a jump to its place. The source
// may have a hundred thousand lines; those that can be seen are asked for and drawn.

import { app } from './app.js';
import { get, post, put, remove } from './api.js';
import { confirm, h, replace } from './dom.js';
import { downloads, lazy } from './docs.js';
import { importDialog } from './import.js';
import { prose, spans } from './prose.js';

export function show({ definition: id }, element) {
  const left = new AbortController();
  replace(element, h('p.quiet', { role: 'status' }, 'Reading the definition…'));
  get(`/definitions/${id}`, { signal: left.signal }).then((about) => {
    replace(element, view(id, about));
  }).catch((error) => {
    if (error.name === 'AbortError') return;
    replace(element, h('p', `${error.message}.`), h('p.quiet', error.hint));
  });
  return () => left.abort();
}

function view(id, about) {
  const source = sourceView(id, about);
  const size = `${about.bytes.toLocaleString('en')} bytes, ${about.lines.toLocaleString('en')} lines`;
  return h('article.definition',
    h('header',
      h('h2', about.title || 'A definition without a title'),
      h('p.quiet', `Version ${about.version} · ${about.format} · ${about.operations} operations · ${about.source} · ${size}`),
      h('p.actions',
        h('a.button', { href: app.link('docs', id) }, 'Documentation'), downloads(id),
        h('button.plain', { type: 'button', onclick: () => importDialog({ replaces: id }) }, 'Import a new version'),
        h('button.plain.danger', { type: 'button', onclick: () => drop(id, about) }, 'Remove'))),
    about.description && lazy(h('summary', 'Description'), () => h('div.prose', prose(about.description))),
    servers(about),
    h('div.definition-body',
      h('div.definition-side', outline(about, source), problems(about, source)), source.element),
    verdict(about));
}

async function drop(id, about) {
  const sure = await confirm(`Remove ${about.title}?`,
    'Its favourites go with it. Saved requests stay, without their descriptions.', 'Remove definition');
  if (!sure) return;
  try {
    await remove(`/definitions/${id}`);
    app.forget();
    await app.reload();
    app.go();
  } catch (error) {
    app.fail(error);
  }
}

// The servers that the definition names, each to be made an environment of.
function servers(about) {
  const known = (url) => app.workspace.environments.some((one) =>
    one.variables.some((variable) => variable.name === 'baseUrl' && variable.initial === url));
  const offered = about.servers.filter((url) => !known(url));
  if (!offered.length) return null;
  const make = async (url, row) => {
    const name = new URL(url).hostname;
    const { id } = await post('/environments', { name });
    const variable = { name: 'baseUrl', on: true, secret: false, initial: url, current: null };
    await put(`/environments/${id}`, { name, variables: [variable] });
    await app.reload();
    row.remove();
    app.say(`The environment ${name} is there.`);
  };
  const row = (url) => {
    const line = h('li', h('code', url), ' ', h('button.plain', { type: 'button', onclick: () => make(url, line).catch(app.fail) },
      'Make an environment'));
    return line;
  };
  return lazy(h('summary', `Servers without an environment (${offered.length})`), () => h('ul.definition-servers', offered.map(row)));
}

const jump = (label, line, source, part) =>
  h('button.jump', { type: 'button', onclick: () => source.show(line, part) }, label);

function outline(about, source) {
  const inner = (part) => {
    const label = jump(part.title, part.line, source);
    if (!part.parts?.length) return h('li', label, part.count != null && h('span.quiet', ` ${part.count}`));
    return h('li', label, lazy(h('summary', `${part.count ?? part.parts.length}`,
      h('span.unseen', ` in ${part.title}`)), () => h('ul', part.parts.slice(0, SHOWN).map(inner), rest(part.parts))));
  };
  const rest = (parts) => parts.length > SHOWN && h('li.quiet', `and ${parts.length - SHOWN} more, in the source`);
  return h('nav', { 'aria-label': 'Outline' }, h('h3', 'Outline'), h('ul.definition-outline', about.outline.map(inner)));
}

// So many parts or problems are drawn at once.
const SHOWN = 150;

const KINDS = [['error', 'errors'], ['warning', 'warnings'], ['note', 'notes']];

function verdict(about) {
  const total = KINDS.reduce((sum, [, kind]) => sum + about.problemCount[kind], 0);
  if (!total) return h('p.definition-verdict', { 'data-kind': 'good' }, 'No issues found.');
  const words = KINDS.filter(([, kind]) => about.problemCount[kind])
    .map(([one, kind]) => `${about.problemCount[kind]} ${about.problemCount[kind] === 1 ? one : kind}`);
  const usable = about.problemCount.errors ? '' : ' The definition can be used as it is.';
  return h('p.definition-verdict', { 'data-kind': about.problemCount.errors ? 'bad' : 'warn' }, `${words.join(', ')}.${usable}`);
}

function problems(about, source) {
  if (!about.problems.length) return null;
  const list = h('ul.definition-problems');
  const draw = (severity, most = 40) => {
    const chosen = about.problems.filter((one) => !severity || one.severity === severity);
    const left = chosen.length - most;
    replace(list, chosen.slice(0, most).map((one) => problem(one, source)),
      left > 0 && h('li', h('button.plain', { type: 'button', onclick: () => draw(severity, most + SHOWN) }, `${left} more`)));
  };
  const select = h('select', { 'aria-label': 'Problems to show', onchange: () => draw(select.value) },
    h('option', { value: '' }, `All problems (${about.problems.length})`),
    KINDS.filter(([, kind]) => about.problemCount[kind]).map(([one, kind]) =>
      h('option', { value: one }, `${kind} (${about.problemCount[kind]})`)));
  draw('');
  return h('section', { 'aria-label': 'Problems' }, h('h3', 'Problems'), select, list);
}

const problem = (one, source) => h('li',
  h('span.badge', { 'data-severity': one.severity }, one.severity), ' ',
  jump(`${one.part ? `${one.part}, ` : ''}line ${one.line}`, one.line, source, one.part),
  h('p', spans(one.message)), h('p.quiet', spans(one.advice)), h('p.quiet', h('code', one.rule)));

// Lines of the text, drawn where they can be seen. Every line is as high as any other.
function sourceView(id, about) {
  const HIGH = 20;
  const PAGE = 400;
  // However tall the box is, not more than this much of it is filled.
  const TALLEST = 3000;
  const lines = h('div.source-lines');
  const room = h('div.source-room', lines);
  const box = h('div.source', { tabindex: '0', role: 'region', 'aria-label': 'Source' }, room);
  const title = h('p.quiet', about.source);
  let part;
  let total = about.lines;
  let marked = 0;
  let pages = new Map();

  const page = (number) => {
    if (!pages.has(number)) {
      const of = part ? `&part=${encodeURIComponent(part)}` : '';
      const mine = pages;
      const asked = get(`/definitions/${id}/source?from=${number * PAGE + 1}&lines=${PAGE}${of}`);
      mine.set(number, null);
      asked.then((told) => {
        mine.set(number, told.lines);
        if (mine !== pages) return;
        total = told.total;
        draw();
      }).catch((error) => {
        mine.delete(number);
        app.fail(error);
      });
      // Pages far from here are asked for again when somebody comes back.
      if (mine.size > 24) mine.delete(mine.keys().next().value);
    }
    return pages.get(number);
  };

  const line = (number) => {
    const known = page(Math.floor((number - 1) / PAGE));
    return h('div.source-line', { 'data-marked': number === marked ? 'true' : null },
      h('span', { 'aria-hidden': 'true' }, String(number)), known ? known[(number - 1) % PAGE] ?? '' : '…');
  };

  const draw = () => {
    room.style.height = `${total * HIGH}px`;
    const first = Math.max(1, Math.floor(box.scrollTop / HIGH) - 10);
    const last = Math.min(total, first + Math.ceil(Math.min(box.clientHeight || 600, TALLEST) / HIGH) + 20);
    lines.style.transform = `translateY(${(first - 1) * HIGH}px)`;
    replace(lines, Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => line(first + at)));
  };

  const show = (number, where) => {
    if ((where ?? undefined) !== part) {
      part = where ?? undefined;
      pages = new Map();
      total = Math.max(number, 1);
      title.textContent = part ?? about.source;
    }
    marked = number;
    draw();
    box.scrollTop = Math.max(0, (number - 6) * HIGH);
    draw();
    box.scrollIntoView({ block: 'nearest' });
    box.focus({ preventScroll: true });
  };

  let waiting = false;
  box.addEventListener('scroll', () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  });
  draw();
  return { element: h('div.definition-source', title, box), show };
}
