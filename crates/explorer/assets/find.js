// Finding words in JSON, and places by their pointer. A search works in short turns, so that typing stays fluent
// however large the answer is.

import { children } from './jsontree.js';

const MOST = 5000;
const TURN = 8;

// The places of a pointer (RFC 6901) in each level, as far as there is something there.
export function placesOf(root, pointer) {
  const places = [];
  let node = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const at = node.kind === 'object' ? node.members.findIndex(([one]) => one === name) : Number(name);
    const below = children(node)[at];
    if (below === undefined) break;
    places.push(at);
    node = node.kind === 'object' ? below[1] : below;
  }
  return places;
}

const scalar = (node) => (node.kind === 'string' ? node.value : node.text ?? node.kind);

// Where the words are, in names and values, whatever their case: `found(places, ended)` is told after each
// turn. What comes back stops it.
export function find(root, words, found) {
  const wanted = words.toLowerCase();
  const places = [];
  // What is still to be looked at: {node, at} of each level.
  const stack = [{ node: root, at: 0 }];
  let timer;
  let count = 0;

  const has = (text) => text.toLowerCase().includes(wanted);
  const turn = () => {
    const until = performance.now() + TURN;
    while (stack.length) {
      count += 1;
      if (count % 256 === 0 && performance.now() > until) {
        found(places, false);
        timer = setTimeout(turn);
        return;
      }
      const top = stack.at(-1);
      const list = children(top.node);
      if (top.at >= list.length) {
        stack.pop();
        if (stack.length) stack.at(-1).at += 1;
        continue;
      }
      const isObject = top.node.kind === 'object';
      const [name, child] = isObject ? list[top.at] : ['', list[top.at]];
      const isLeaf = child.kind !== 'object' && child.kind !== 'array';
      if ((name && has(name)) || (isLeaf && has(scalar(child)))) {
        places.push(stack.map((one) => one.at));
        if (places.length >= MOST) return found(places, true);
      }
      if (isLeaf) top.at += 1;
      else stack.push({ node: child, at: 0 });
    }
    found(places, true);
  };
  timer = setTimeout(turn);
  return () => clearTimeout(timer);
}

export const isMost = (places) => places.length >= MOST;
