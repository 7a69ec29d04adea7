// A text as it came. A long one is cut until somebody wants all of it: laying out megabytes takes a browser
// seconds.

import { h, replace } from './dom.js';
import { counted } from './words.js';

const FIRST = 50_000;

export function raw(text) {
  const box = h('pre.answer-raw', { tabindex: '0', role: 'region', 'aria-label': 'Text' }, text.slice(0, FIRST));
  if (text.length <= FIRST) return box;
  const more = h('p.answer-more',
    h('span.quiet', `The first ${counted(FIRST)} of ${counted(text.length)} characters. `),
    h('button.plain', { type: 'button', onclick: () => (replace(box, text), more.remove()) }, 'Show all'));
  return h('div', box, more);
}
