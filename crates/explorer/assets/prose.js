// The texts of a definition, for people: a little of Markdown, and nothing of HTML. Known are paragraphs,
// lists, headings, code between backticks and in fences, and bold text; all else stands as it was written.
// No link is made: a text from outside must not lead anywhere.

import { h } from './dom.js';

// Backticks are written by their number: in a script they begin texts.
const TICK = '\x60';
const FENCE = TICK.repeat(3);
const CODE = /(\x60[^\x60]+\x60|\*\*[^*]+\*\*)/;

// The elements for a text.
export function prose(text) {
  const blocks = [];
  let open = null;
  const close = () => {
    if (open) blocks.push(open.items ? h('ul', open.items.map((item) => h('li', spans(item)))) : h('p', spans(open.text)));
    open = null;
  };
  const lines = String(text ?? '').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at].trim();
    const item = /^(?:[-*+]|\d+[.)])\s+(.*)/.exec(line)?.[1];
    const heading = /^#{1,6}\s+(.*)/.exec(line)?.[1];
    if (line.startsWith(FENCE)) {
      close();
      const end = lines.findIndex((one, number) => number > at && one.trim().startsWith(FENCE));
      const until = end < 0 ? lines.length : end;
      blocks.push(h('pre', { tabindex: '0' }, lines.slice(at + 1, until).join('\n')));
      at = until;
    } else if (!line) close();
    else if (heading) {
      close();
      blocks.push(h('p', h('strong', heading)));
    } else if (item !== undefined) {
      if (!open?.items) {
        close();
        open = { items: [] };
      }
      open.items.push(item);
    } else if (open?.items) open.items.push(`${open.items.pop()} ${line}`);
    else open = { text: open ? `${open.text} ${line}` : line };
  }
  close();
  return blocks;
}

// Code and bold parts of a line.
export const spans = (text) =>
  text.split(CODE).map((part) => {
    if (part.length > 2 && part.startsWith(TICK) && part.endsWith(TICK)) return h('code', part.slice(1, -1));
    if (part.length > 4 && part.startsWith('**') && part.endsWith('**')) return h('strong', part.slice(2, -2));
    return part;
  });
