// Making elements. Text is always text: nothing here reads HTML, so nothing that comes from a server or a
// definition can become a part of the page.

// An element: `h('button.primary', { type: 'button', onclick: send }, 'Send')`. Attributes whose value is
// false, null or undefined are left out; those that begin with `on` are listeners.
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name || 'div');
  if (classes.length) element.className = classes.join(' ');
  const isAttributes = attributes && attributes.constructor === Object;
  if (isAttributes) set(element, attributes);
  else children.unshift(attributes);
  fill(element, children);
  return element;
}

// Sets attributes; `value`, `checked` and the like as properties.
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value ?? '';
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
    else element.removeAttribute(name);
  }
}

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'open', 'indeterminate', 'selected']);

// Puts children in: elements, texts, lists of them; null and false are nothing.
export function fill(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child == null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

// The same in place of what was there.
export function replace(element, ...children) {
  element.replaceChildren();
  return fill(element, children);
}

// The place of what a script brings that is loaded now: `make` is given the script, and makes what is shown.
export function coming(load, make) {
  const place = h('div.coming', h('p.quiet', 'One moment…'));
  load().then((parts) => replace(place, make(parts))).catch((error) => replace(place, h('p.alert', error.message)));
  return place;
}

// A field with its label, to be laid out by the stylesheet.
export function field(label, input, hint) {
  input.id ||= unique('field');
  const about = hint && h('span.hint', { id: unique('hint') }, hint);
  if (about) input.setAttribute('aria-describedby', about.id);
  return h('div.field', h('label', { for: input.id }, label), input, about);
}

let count = 0;
// A name that no other element has.
export const unique = (name) => `${name}-${(count += 1)}`;

// A dialog that is there until it is closed. `build(close)` gives its content; the promise is what `close`
// was called with.
export function dialog(title, build, kind = '') {
  return new Promise((resolve) => {
    const heading = h('h2', { id: unique('dialog') }, title);
    const element = h('dialog.explorer-dialog', { 'aria-labelledby': heading.id, 'data-kind': kind });
    const close = (outcome) => {
      element.close();
      element.remove();
      resolve(outcome);
    };
    element.addEventListener('cancel', (event) => {
      event.preventDefault();
      close(undefined);
    });
    const cross = h('button.plain.cross', { type: 'button', 'aria-label': 'Close', onclick: () => close(undefined) }, '×');
    fill(element, [h('header', heading, cross), build(close)]);
    document.body.append(element);
    element.showModal();
  });
}

// Asks before something is lost.
export const confirm = (title, text, action) =>
  dialog(title, (close) => [
    h('p', text),
    h('footer',
      h('button', { type: 'button', onclick: () => close(false) }, 'Cancel'),
      h('button.danger', { type: 'button', onclick: () => close(true) }, action)),
  ]);

// Calls `act` when nothing was asked for `pause` milliseconds.
export function later(pause, act) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), pause);
  };
}
