// JSON as a tree of rows that open and close. Rows are made when they are opened, and many children are
// put into ranges of a hundred, so that a large answer costs no more than what is looked at.
//
// The rows stand in one flat list and say their level, as the tree pattern of ARIA allows.

import { h } from './dom.js';
import { counted, several } from './words.js';

const RANGE = 100;
const AT_FIRST = 150;
const MOST = 2000;
const LONGEST = 300;

export const children = (node) => (node.kind === 'object' ? node.members : node.kind === 'array' ? node.items : []);

// Where a child is: the pointer of RFC 6901.
const step = (name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;

// `links` and `marks` are by pointer: requests to open, and what differs from the definition. `chosen(row)`
// is told which row somebody is at.
export function jsonTree(root, { links, marks, chosen, follow }) {
  const element = h('div.json', { role: 'tree', 'aria-label': 'Body of the answer' });
  const rows = new WeakMap();
  let current;

  const top = make({ node: root, level: 1, pointer: '', parent: null, from: 0, to: children(root).length });
  element.append(top.element);
  top.element.tabIndex = 0;
  openSome(top, { most: AT_FIRST, deepest: 4, whole: false });

  function make(row) {
    const count = row.to - row.from;
    row.opens = count > 0;
    row.element = h('div.json-row', {
      role: 'treeitem', tabindex: '-1', 'aria-level': row.level, 'aria-expanded': row.opens ? 'false' : null,
    });
    row.element.style.setProperty('--level', row.level);
    rows.set(row.element, row);
    draw(row);
    return row;
  }

  function draw(row) {
    const { node } = row;
    const link = row.range ? null : links.get(row.pointer);
    const mark = row.range ? null : marks.get(row.pointer);
    row.element.replaceChildren();
    row.element.append(...[
      h('span.json-arrow', { 'aria-hidden': 'true' }),
      row.range
        ? h('span.json-range', `[${counted(row.from)} … ${counted(row.to - 1)}]`)
        : row.name !== undefined && h('span.json-name', { 'data-kind': typeof row.name }, row.name, ':'),
      !row.range && value(row, link),
      mark && h('span.json-mark', mark),
    ].filter(Boolean));
  }

  function value(row, link) {
    const { node } = row;
    if (node.kind === 'object') return h('span.json-count', node.members.length ? `{ ${several(node.members.length, 'member')} }` : '{ }');
    if (node.kind === 'array') return h('span.json-count', node.items.length ? `[ ${several(node.items.length, 'item')} ]` : '[ ]');
    const whole = node.kind === 'string' ? JSON.stringify(node.value) : node.text ?? node.kind;
    const text = whole.length > LONGEST && !row.whole ? `${whole.slice(0, LONGEST)}…` : whole;
    const shown = h('span.json-value', { 'data-kind': node.kind }, text);
    if (link) {
      return h('button.link', {
        type: 'button', tabindex: '-1', title: `Open the request: ${link.target}`, onclick: (event) => (event.stopPropagation(), follow(link)),
      }, shown);
    }
    if (text === whole) return shown;
    return [shown, h('button.link.json-more', {
      type: 'button', tabindex: '-1', onclick: (event) => (event.stopPropagation(), all(row)),
    }, `all ${counted(whole.length)} characters`)].reduce((box, one) => (box.append(one), box), h('span'));
  }

  function all(row) {
    row.whole = true;
    draw(row);
  }

  // The rows below a row: its children, or ranges of them.
  function below(row) {
    const { node, level } = row;
    const of = children(node);
    const count = row.to - row.from;
    const made = [];
    if (count <= RANGE) {
      for (let at = row.from; at < row.to; at += 1) {
        const [name, child] = node.kind === 'object' ? of[at] : [at, of[at]];
        made.push(make({
          node: child, name, at, level: level + 1, parent: row, pointer: row.pointer + step(name), from: 0, to: children(child).length,
        }));
      }
      return made;
    }
    let wide = RANGE;
    while (count / wide > RANGE) wide *= RANGE;
    for (let from = row.from; from < row.to; from += wide) {
      made.push(make({
        node, range: true, level: level + 1, parent: row, pointer: row.pointer, from, to: Math.min(row.to, from + wide),
      }));
    }
    return made;
  }

  function open(row) {
    if (!row.opens || row.below) return;
    row.below = below(row);
    row.element.setAttribute('aria-expanded', 'true');
    row.element.after(...row.below.map((one) => one.element));
  }

  function close(row) {
    if (!row.below) return;
    for (let next = row.element.nextSibling; next && rows.get(next).level > row.level; next = row.element.nextSibling) next.remove();
    row.below = undefined;
    row.element.setAttribute('aria-expanded', 'false');
    if (current && !current.element.isConnected) choose(row);
  }

  // Opens what a reader sees first, in the order of reading, until there are enough rows; or all, as far as
  // the browser bears it. Says whether everything is open.
  function openSome(first, { most, deepest = Infinity, whole = true }) {
    let count = 1;
    let isAll = true;
    const visit = (row, depth) => {
      if (!row.opens) return;
      if (depth > deepest || count >= most) {
        isAll = false;
        return;
      }
      open(row);
      count += row.below.length;
      // Of a long list the first range is opened, not every one.
      for (const one of whole || row.range || !row.below[0]?.range ? row.below : row.below.slice(0, 1)) visit(one, depth + 1);
    };
    visit(first, 0);
    return isAll;
  }

  function choose(row, focus = false) {
    if (current) {
      current.element.tabIndex = -1;
      current.element.removeAttribute('aria-selected');
    }
    top.element.tabIndex = -1;
    current = row;
    row.element.tabIndex = 0;
    row.element.setAttribute('aria-selected', 'true');
    if (focus) row.element.focus({ preventScroll: true });
    chosen(row);
  }

  // Goes to a child by its place in each level: opens what is above it.
  function reveal(places, focus = false) {
    let row = top;
    const into = (at) => {
      open(row);
      row = row.below?.find((one) => (one.range ? one.from <= at && at < one.to : one.at === at)) ?? null;
    };
    for (const at of places) {
      into(at);
      while (row?.range) into(at);
      if (!row) return null;
    }
    choose(row, focus);
    // Only its own box scrolls to it, not the page as far as that can be kept still.
    row.element.scrollIntoView({ block: 'nearest' });
    return row;
  }

  element.addEventListener('click', (event) => {
    const row = rows.get(event.target.closest('[role=treeitem]'));
    if (!row) return;
    const selecting = String(getSelection()).length > 0 && event.detail > 0 && getSelection().containsNode(row.element, true);
    choose(row, !selecting);
    if (selecting) return;
    if (row.below) close(row);
    else open(row);
  });
  element.addEventListener('focusin', (event) => {
    const row = rows.get(event.target.closest('[role=treeitem]'));
    if (row && row !== current) choose(row);
  });
  element.addEventListener('keydown', (event) => {
    const row = rows.get(event.target.closest('[role=treeitem]'));
    if (!row || event.target !== row.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = (sibling) => sibling && (choose(rows.get(sibling), true), sibling.scrollIntoView({ block: 'nearest' }));
    const keys = {
      ArrowDown: () => to(row.element.nextSibling),
      ArrowUp: () => to(row.element.previousSibling),
      Home: () => to(element.firstChild),
      End: () => to(element.lastChild),
      ArrowRight: () => (row.below ? to(row.element.nextSibling) : open(row)),
      ArrowLeft: () => (row.below ? close(row) : to(row.parent?.element)),
      Enter: () => {
        const link = !row.range && links.get(row.pointer);
        if (link) follow(link);
        else if (row.below) close(row);
        else if (row.opens) open(row);
        else all(row);
      },
    };
    const act = keys[event.key === ' ' ? 'Enter' : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  const openAll = () => openSome(top, { most: MOST });
  return { element, reveal, openAll, current: () => current ?? top };
}
