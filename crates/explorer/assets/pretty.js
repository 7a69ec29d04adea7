// The body as a tree to read, with a search over all of it and what can be copied.

import { app } from './app.js';
import { h, later, replace, unique } from './dom.js';
import { find, isMost, placesOf } from './find.js';
import { print } from './json.js';
import { jsonTree } from './jsontree.js';
import { counted } from './words.js';

// `text` is the body as it came. The element knows `reveal(pointer)`.
export function pretty(node, text, answer) {
  const links = new Map((answer.links ?? []).map((one) => [one.pointer, one]));
  const marks = new Map();
  for (const { pointer, what } of answer.violations ?? []) {
    marks.set(pointer, marks.has(pointer) ? `${marks.get(pointer)}; ${what}` : what);
  }
  const follow = (link) => app.emit('open-draft', link.draft);

  const path = h('code');
  const go = h('button.plain', { type: 'button', hidden: true, onclick: () => follow(links.get(tree.current().pointer)) });
  const tree = jsonTree(node, {
    links,
    marks,
    follow,
    chosen(row) {
      path.textContent = row.pointer || 'the whole body';
      const link = row.range ? null : links.get(row.pointer);
      go.hidden = !link;
      go.textContent = link ? `Open ${link.target}` : '';
    },
  });
  path.textContent = 'the whole body';

  const button = (label, act) => h('button.plain', { type: 'button', onclick: act }, label);
  const search = searching(node, tree);
  const element = h('div',
    h('div.answer-tools', search,
      h('div.actions',
        button('Expand all', () => tree.openAll() || app.say('The first rows are open. Open the others where you need them.')),
        button('Copy value', () => copy(valueOf(tree.current()), 'The value is copied')),
        button('Copy path', () => copy(tree.current().pointer || '/', 'The path is copied')),
        button('Copy all', () => copy(text, 'The body is copied')))),
    h('div.answer-box.json-box', tree.element),
    h('p.json-path', path, go));
  const reveal = (pointer) => tree.reveal(placesOf(node, pointer), true);
  return Object.assign(element, { reveal });
}

// A text is copied as it is, anything else as JSON.
const valueOf = ({ node }) => (node.kind === 'string' ? node.value : print(node));

export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    app.say(done);
  } catch {
    app.say('The browser did not let the page copy it: select it and copy it by hand', 'bad');
  }
}

// The field that finds words anywhere in the body, also in what is closed.
function searching(node, tree) {
  let places = [];
  let at = -1;
  let stop = () => {};
  const said = h('span.quiet', { role: 'status' });
  const input = h('input', { type: 'search', id: unique('find'), placeholder: 'Find in the body', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Find in the body' });

  const tell = () => {
    const all = `${counted(places.length)}${isMost(places) ? '+' : ''}`;
    if (!input.value) said.textContent = '';
    else if (!places.length) said.textContent = 'not found';
    else said.textContent = `${counted(at + 1)} of ${all}`;
    for (const one of buttons) one.disabled = places.length < 2;
  };
  const goTo = (next) => {
    if (!places.length) return;
    at = (next + places.length) % places.length;
    const row = tree.reveal(places[at]);
    for (const old of tree.element.querySelectorAll('.json-found')) old.classList.remove('json-found');
    row?.element.classList.add('json-found');
    tell();
  };
  const clear = () => {
    stop();
    places = [];
    at = -1;
    for (const old of tree.element.querySelectorAll('.json-found')) old.classList.remove('json-found');
  };
  const begin = later(150, () => {
    clear();
    const words = input.value;
    if (!words) return tell();
    said.textContent = 'looking…';
    stop = find(node, words, (found, ended) => {
      places = found;
      if (at < 0 && places.length) goTo(0);
      if (ended) tell();
    });
    return undefined;
  });
  input.addEventListener('input', begin);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    goTo(at + (event.shiftKey ? -1 : 1));
  });
  const turn = (label, by, sign) => h('button.plain', { type: 'button', 'aria-label': label, title: label, disabled: true, onclick: () => goTo(at + by) }, sign);
  const buttons = [turn('Previous match', -1, '↑'), turn('Next match', 1, '↓')];
  return replace(h('div.answer-find', { role: 'search' }), input, buttons, said);
}
