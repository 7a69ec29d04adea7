// The tab "Body": a form by the schema, and the text that is sent. The text is what counts. The form changes the
// tree that the text was read into, so what it does not know, and numbers of any length, stay as they are.

import { coming, h, replace, unique } from './dom.js';
import { NoJson, parse, print } from './json.js';

// `inBody(mistake)` tells whether a mistake is one of the body.
export function body(edit, inBody) {
  const { draft, detail } = edit;
  const bodies = detail?.bodies ?? [];
  const offered = () => bodies.find((one) => one.mediaType === draft.body?.mediaType);
  const isJson = () => /json/i.test(draft.body?.mediaType ?? '');
  const canForm = () => isJson() && formable(offered()?.shape);
  const element = h('div');
  let telling = () => {};

  const draw = () => {
    if (!draft.body) {
      telling = () => {};
      return replace(element, h('p.quiet', 'No body is sent.'), h('p.actions', adders()));
    }
    const place = h('div');
    const summary = h('div.alert', { hidden: true });
    const views = canForm() ? { form: 'Form', text: 'Text' } : { text: 'Text' };
    if (!views[edit.bodyView]) edit.bodyView = Object.keys(views)[0];
    const show = () => {
      telling = edit.bodyView === 'form' ? asForm(edit, offered().shape, place) : asText(edit, place);
      edit.tell();
    };
    const ways = Object.keys(views).length > 1 && h('div.segments', { role: 'group', 'aria-label': 'How the body is shown' },
      Object.entries(views).map(([name, label]) => h('button.plain', {
        type: 'button',
        'aria-pressed': String(edit.bodyView === name),
        onclick: (event) => {
          edit.bodyView = name;
          for (const one of event.target.parentElement.children) one.setAttribute('aria-pressed', String(one === event.target));
          show();
        },
      }, label)));
    replace(element, h('div.toolbar', ways, mediaType(), h('div.actions', example(), h('button.plain', {
      type: 'button',
      onclick: () => setBody(null),
    }, 'Send no body'))), summary, place);
    element.summary = summary;
    show();
    return undefined;
  };
  const setBody = (next) => {
    draft.body = next;
    edit.changed();
    draw();
  };
  const start = (one) => ({ mediaType: one.mediaType, text: one.example ?? (/json/i.test(one.mediaType) ? '{}' : '') });
  const adders = () => (bodies.length ? bodies : [{ mediaType: 'application/json' }]).map((one) =>
    h('button.plain', { type: 'button', onclick: () => setBody(start(one)) }, `Send a body: ${one.mediaType}`));
  const example = () => offered()?.example && h('button.plain', {
    type: 'button',
    onclick: () => setBody(start(offered())),
  }, 'Use example');
  const mediaType = () => {
    const set = (event) => {
      draft.body.mediaType = event.target.value;
      edit.changed();
    };
    if (!bodies.length) return h('input.code', { type: 'text', value: draft.body.mediaType, 'aria-label': 'Media type', onchange: set });
    if (bodies.length === 1 && offered()) return h('code.quiet', draft.body.mediaType);
    const known = bodies.map((one) => one.mediaType);
    if (!offered()) known.unshift(draft.body.mediaType);
    return h('select', { 'aria-label': 'Media type', onchange: (event) => setBody(start(bodies.find((one) => one.mediaType === event.target.value) ?? draft.body)) },
      known.map((one) => h('option', { value: one, selected: one === draft.body.mediaType }, one)));
  };
  draw();
  const told = (preview) => {
    const mistakes = preview.mistakes.filter(inBody);
    const left = draft.body ? telling(mistakes) ?? [] : mistakes;
    if (!element.summary) return;
    element.summary.hidden = !left.length;
    replace(element.summary, left.length === 1 ? sentence(left[0]) : h('ul', left.map((one) => h('li', sentence(one)))));
  };
  return { element, told };
}

const sentence = ({ pointer, what, hint }) => [pointer && h('code', pointer), pointer && ': ', what, hint && `; ${hint}`];
const formable = (shape) => Boolean(shape?.fields?.length || /^(list|map)/.test(shape?.kind ?? ''));

// The text, with where it stops being JSON.
function asText(edit, place) {
  const note = h('p.mistake', { id: unique('mistake'), hidden: true });
  const area = h('textarea.code.body', {
    value: edit.draft.body.text,
    rows: String(Math.min(28, Math.max(8, edit.draft.body.text.split('\n').length + 1))),
    'aria-label': 'Body as text',
    spellcheck: 'false',
    oninput: () => {
      edit.draft.body.text = area.value;
      check();
      edit.changed();
    },
  });
  const isJson = /json/i.test(edit.draft.body.mediaType);
  let broken = null;
  const check = () => {
    broken = isJson ? problem(area.value) : null;
    note.hidden = !broken;
    replace(note, broken && [`Line ${broken.line}, column ${broken.column}: ${broken.message}. `, h('button.plain.small', {
      type: 'button',
      onclick: () => {
        area.focus();
        area.setSelectionRange(broken.offset, broken.offset + 1);
      },
    }, 'Go there')]);
    if (broken) area.setAttribute('aria-describedby', note.id);
    else area.removeAttribute('aria-describedby');
    area.setAttribute('aria-invalid', String(Boolean(broken)));
  };
  const tidy = isJson && h('button.plain', {
    type: 'button',
    onclick: () => {
      if (problem(area.value)) return area.focus();
      area.value = print(parse(area.value, { variables: true }));
      area.dispatchEvent(new Event('input'));
      return undefined;
    },
  }, 'Tidy up');
  replace(place, area, note, h('p.actions', tidy));
  check();
  return (mistakes) => (broken ? [] : mistakes);
}

function problem(text) {
  try {
    parse(text, { variables: true });
    return null;
  } catch (error) {
    if (error instanceof NoJson) return error;
    throw error;
  }
}

// The form; as long as the text is JSON.
function asForm(edit, shape, place) {
  const broken = edit.draft.body.text.trim() ? problem(edit.draft.body.text) : null;
  if (broken) {
    replace(place, h('p.notice', `The text is no JSON (line ${broken.line}, column ${broken.column}: ${broken.message}). Mend it as text, and the form is here again.`));
    return (mistakes) => mistakes;
  }
  let told = (mistakes) => mistakes;
  replace(place, coming(() => import('./form.js'), ({ form }) => {
    const { text } = edit.draft.body;
    const root = { node: text.trim() ? parse(text, { variables: true }) : { kind: 'object', members: [] } };
    const made = form(shape, root, () => {
      edit.draft.body.text = print(root.node);
      edit.changed();
    });
    ({ told } = made);
    queueMicrotask(edit.tell);
    return made.element;
  }));
  return (mistakes) => told(mistakes);
}
