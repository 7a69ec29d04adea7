// Tabs with the panel below them. What a tab shows is made when it is first shown, and kept.

import { h, replace, unique } from './dom.js';

// `list` is [{id, label, note, make}]; `make()` gives the element. The element that comes back knows
// `show(id)`; `chosen(id)` is told what somebody chose.
export function tabs(label, list, begin, chosen = () => {}) {
  const name = unique('tabs');
  const panel = h('div.answer-panel', { role: 'tabpanel', id: name });
  const made = new Map();
  let shown;

  const show = (id) => {
    shown = list.find((one) => one.id === id) ?? list[0];
    for (const one of list) {
      one.button.setAttribute('aria-selected', String(one === shown));
      one.button.tabIndex = one === shown ? 0 : -1;
    }
    if (!made.has(shown)) made.set(shown, shown.make());
    panel.setAttribute('aria-labelledby', shown.button.id);
    replace(panel, made.get(shown));
  };
  const choose = (one) => {
    show(one.id);
    chosen(one.id);
  };
  for (const one of list) {
    one.button = h('button.plain', {
      type: 'button', role: 'tab', id: `${name}-${one.id}`, 'aria-controls': name, onclick: () => choose(one),
    }, one.label, one.note && h('span.count', { 'data-kind': one.kind }, one.note));
  }
  const buttons = h('div.answer-tabs', { role: 'tablist', 'aria-label': label }, list.map((one) => one.button));
  buttons.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = list[(list.indexOf(shown) + step + list.length) % list.length];
    choose(next);
    next.button.focus();
  });
  show(begin);
  return Object.assign(h('div', buttons, panel), { show });
}
