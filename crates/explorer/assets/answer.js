// The answer to a request: how it went in one line, what to do when it went badly, the body in the forms that
// suit it, the headers, the differences from the definition, and what happened on the way.

import { ask, base, post } from './api.js';
import { app, trusting } from './app.js';
import { read } from './content.js';
import { coming, h, replace } from './dom.js';
import { pretty } from './pretty.js';
import { raw } from './raw.js';
import { chartsOf, listOf } from './shapes.js';
import { tabs } from './tabs.js';
import { advice, capital, counted, meaning, quality, several, size, time } from './words.js';

// Draws answers into the element: what `running`, `show`, `fail` and `clear` say is read out as well.
export function mountAnswer(element) {
  const told = h('p.unseen', { role: 'status' });
  const place = h('div');
  let number = 0;
  element.classList.add('answer');
  replace(element, told, place);

  const begin = (words, ...content) => {
    number += 1;
    told.textContent = words;
    replace(place, content);
  };
  const here = {
    element,
    running: () => begin('Sending', h('p.answer-running.quiet', 'Sending…')),
    clear: () => begin(''),
    fail: (error) => begin(
      `Not sent: ${error.message}`,
      h('div.alert', h('p', capital(error.message)), error.hint && h('p.hint', capital(error.hint)), trusting(error)),
    ),
    show(answer, draft) {
      const mine = number + 1;
      const shown = { answer, draft, isCurrent: () => mine === number && element.isConnected };
      const task = answer.task && coming(() => import('./task.js'), ({ follow }) => follow(answer.task, shown.isCurrent));
      const content = [head(answer), problem(answer), task, pages(shown, here), body(shown)];
      begin(`${answer.status} ${answer.reason ?? ''}: ${meaning(answer.status)}`, content);
    },
  };
  return here;
}

function head(answer) {
  const { status } = answer;
  return h('div.answer-head',
    h('h2.unseen', 'Answer'),
    h('span', { class: `badge ${quality(status)}` }, `${status} ${answer.reason ?? ''}`.trim()),
    h('span.answer-meaning', capital(meaning(status))),
    h('span.quiet', { title: 'From sending to the last byte' }, time(answer.milliseconds)),
    h('span.quiet', { title: `${counted(answer.size)} bytes` }, size(answer.size)),
    answer.token?.renewed && h('span.badge.quiet', 'new token'),
    answer.size > 0 && h('a.plain', { href: `${base}/answers/${encodeURIComponent(answer.id)}/body?save=1`, download: '' }, 'Save'));
}

// Why it went badly, and what to do. The server's own words come first.
function problem(answer) {
  if (answer.status < 400 && !answer.problem) return null;
  const { what, hint, code, traceId } = answer.problem ?? {};
  const said = what || meaning(answer.status);
  const todo = hint || advice(answer.status);
  const facts = [code && ['Code', code], traceId && ['Trace id', traceId]].filter(Boolean);
  return h('div.alert',
    h('p', capital(said)),
    todo && h('p.hint', capital(todo)),
    facts.map(([name, value]) => h('p.hint', `${name}: `, h('code', value))));
}

// Where a list is, and the way to its other pages. They are sent from here: the reader keeps their place.
function pages({ answer, draft }, here) {
  const { list, next } = answer;
  if (!list) return null;
  const offset = list.offset ?? 0;
  const where = list.items === 0 ? 'No items' : `Items ${counted(offset + 1)}–${counted(offset + list.items)}`;
  const of = list.total == null ? '' : ` of ${counted(list.total)}`;
  const before = offset > 0 && earlier(draft, list);
  const turn = async (to) => {
    here.running();
    try {
      const got = await post('/send', to);
      here.show(got, to);
      // The button that was pressed is gone; its successor is where the reader was.
      here.element.querySelector('.answer-pages button:last-child')?.focus();
      app.emit('answer', got, to);
    } catch (error) {
      here.fail(error);
    }
  };
  const button = (label, to) => to && h('button.plain', { type: 'button', onclick: () => turn(to) }, label);
  return h('div.answer-pages',
    h('span', where + of),
    list.items === 0 && offset === 0 && h('span.quiet', 'The list is empty. A filter may leave out everything.'),
    button('Previous page', before), button('Next page', next));
}

// The request for the page before.
function earlier(draft, { offset, limit, items }) {
  if (!draft?.parameters?.some((one) => one.in === 'query' && one.name === 'offset')) return null;
  const to = structuredClone(draft);
  for (const one of to.parameters) {
    if (one.in !== 'query' || one.name !== 'offset') continue;
    one.value = String(Math.max(0, offset - (limit || items)));
    one.on = true;
  }
  return to;
}

function body(shown) {
  const { answer } = shown;
  const differences = answer.violations ?? [];
  const place = h('div.answer-body', h('p.quiet', 'Reading…'));
  // What the body can show once it is there.
  const content = { reveal: null };
  const all = tabs('Answer', [
    { id: 'body', label: 'Body', make: () => place },
    { id: 'headers', label: 'Headers', note: counted(answer.headers.length), make: () => headers(answer) },
    {
      id: 'checks',
      label: 'Checks',
      note: differences.length ? counted(differences.length) : '',
      kind: 'bad',
      make: () => checks(answer, (pointer) => {
        all.show('body');
        content.reveal?.(pointer);
      }),
    },
    { id: 'log', label: 'Log', make: () => log(answer) },
  ], 'body');
  load(shown, place, content);
  return all;
}

async function load(shown, place, content) {
  const { answer } = shown;
  if (answer.file) return replace(place, tooLarge(answer));
  if (!answer.kept) return replace(place, h('p.quiet', 'The answer has no body.'));
  try {
    const got = await ask('GET', `/answers/${encodeURIComponent(answer.id)}/body`);
    const found = await read(answer, await got.arrayBuffer());
    if (found.text === null) {
      return replace(place, h('p', `This is no text (${answer.mediaType || 'kind unknown'}, ${size(answer.size)}). Save it to look at it with another program.`));
    }
    return replace(place, found.why && noJson(found.why), forms(shown, found, content));
  } catch (error) {
    return replace(place, h('div.alert', h('p', capital(error.message)), error.hint && h('p.hint', capital(error.hint))));
  }
}

// The forms that suit the body: a list is a table as well, numbers over time are a chart.
function forms({ answer, draft }, { node, text }, content) {
  if (!node) return raw(text);
  const tree = pretty(node, text, answer);
  const items = listOf(node);
  const charts = chartsOf(node);
  const all = tabs('Forms of the body', [
    { id: 'pretty', label: 'Pretty', make: () => tree },
    items && { id: 'table', label: 'Table', make: () => coming(() => import('./table.js'), ({ table }) => table(items, draft?.operation || 'answer')) },
    charts.length && { id: 'chart', label: 'Chart', make: () => coming(() => import('./chart.js'), ({ chart }) => chart(charts)) },
    { id: 'raw', label: 'Raw', make: () => raw(text) },
  ].filter(Boolean), preferred, (id) => { preferred = id; });
  content.reveal = (pointer) => {
    all.show('pretty');
    tree.reveal(pointer);
  };
  return all;
}

// The form that was chosen last is the one that the next answer begins with, where it has it.
let preferred = 'pretty';

const noJson = (why) => h('p.notice', `It says that it is JSON, and is not: line ${why.line}, column ${why.column}: ${why.message}.`);

const tooLarge = (answer) => h('div.notice',
  h('p', `The answer is too large to be shown (${size(answer.size)}).`),
  h('p', 'It is kept in a file: save it, and look at it with another program, or ask for less with limit, filter or select.'));

function headers(answer) {
  const rows = (list) => h('dl.facts.answer-facts', list.map(({ name, value }) => h('div', h('dt', name), h('dd', h('code', value)))));
  const { sent } = answer;
  return h('div.answer-parts',
    h('section', h('h3', 'Came back'), rows(answer.headers)),
    h('section', h('h3', 'Was sent'),
      h('p.answer-url', h('code', `${answer.method} ${answer.url}`)),
      rows(sent?.headers ?? []),
      sent?.body && [h('h3', 'Body that was sent'), raw(sent.body)]),
    h('p.quiet', 'Secrets are masked. The explorer keeps no cookies.'));
}

function checks(answer, jump) {
  const found = answer.violations ?? [];
  if (answer.known === false) {
    return h('p', `The definition says nothing about an answer with status ${answer.status}, so it was not compared.`);
  }
  if (!found.length) return h('p', 'The body is as the definition says it.');
  return h('div.answer-parts',
    h('p', `The body differs from the definition in ${several(found.length, 'place')}. The server may be newer than the definition.`),
    h('ul.answer-checks', found.slice(0, MOST_CHECKS).map(({ pointer, what }) => h('li',
      h('button.plain', { type: 'button', title: 'Show the place in the body', onclick: () => jump(pointer) }, pointer || 'the whole body'),
      h('span', what)))),
    found.length > MOST_CHECKS && h('p.quiet', `and ${counted(found.length - MOST_CHECKS)} more`));
}

const MOST_CHECKS = 200;

const log = (answer) => (answer.events?.length
  ? h('ol.answer-log', answer.events.map((one) => h('li', one)))
  : h('p.quiet', 'The request was sent once, and the answer came.'));
