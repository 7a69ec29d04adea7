// Access tokens: getting a new one, how long they last, and the dialog that manages them. The token itself
// is never in the page: Copy asks for it and puts it straight on the clipboard.

import { app, trusting } from './app.js';
import { ask, get, patch, post, remove } from './api.js';
import { h, replace, field, dialog, confirm } from './dom.js';

// The tokens as the server told last: `{ tokens, chosen }`.
export let known = { tokens: [], chosen: null };

// Asks for them anew and tells everybody.
export async function load() {
  known = await get('/tokens');
  const now = performance.now();
  for (const token of known.tokens) token.ends = now + token.secondsLeft * 1000;
  app.emit('tokens', known);
  return known;
}

export const current = () => known.tokens.find((token) => token.chosen);

const secondsOf = (token) => Math.max(0, Math.round((token.ends - performance.now()) / 1000));

// A span of time in its two largest units.
export function span(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

const clocks = new Set();

// How long a token lasts, counted down.
export function timeLeft(token) {
  const element = h('span.time-left');
  const show = () => {
    const left = secondsOf(token);
    element.textContent = left ? `${span(left)} left` : 'expired';
    element.dataset.kind = left > 300 ? 'good' : left ? 'warn' : 'bad';
  };
  show();
  clocks.add({ element, show });
  return element;
}

setInterval(() => {
  for (const clock of clocks) {
    // One that was just made is put into the page before the next second is over.
    if (clock.element.isConnected) {
      clock.seen = true;
      clock.show();
    } else if (clock.seen) clocks.delete(clock);
  }
}, 1000);

// Gets a new token while a dialog shows what happens. `authorization` is null for the workspace's.
export async function getNew(authorization = null) {
  const status = h('p', { role: 'status' }, 'Asking for a token …');
  const body = h('div.token-get', h('progress', { 'aria-label': 'Asking for a token' }), status);
  let got;
  await dialog('Get New Access Token', (close) => {
    post('/tokens', { authorization }).then(async (token) => {
      got = token;
      await load();
      const proceed = h('button', { type: 'button', onclick: () => close(token) }, 'Proceed');
      replace(body,
        h('p.notice.success', { role: 'status' }, h('strong', 'Authentication complete. '),
          'The new token is used from now on.'),
        h('p', `${token.name}, good for `, timeLeft(known.tokens.find((one) => one.id === token.id) ?? token)),
        h('footer.buttons',
          h('button.plain', { type: 'button', onclick: () => (close(token), manageTokens(token.id)) }, 'Show details'),
          proceed));
      proceed.focus();
    }).catch((error) => {
      const again = h('button', { type: 'button', onclick: () => close(undefined) }, 'Close');
      replace(body,
        h('div.notice.alert', { role: 'alert' }, h('p', h('strong', 'There is no token: '), error.message),
          error.hint && h('p', `What to do: ${error.hint}.`), trusting(error)),
        h('footer.buttons', again));
      again.focus();
    });
    return body;
  });
  return got;
}

// The dialog with all tokens; `shown` is the id of the one whose details are open.
export async function manageTokens(shown) {
  await load().catch(app.fail);
  const body = h('div.tokens');
  let open = shown ?? known.chosen ?? known.tokens[0]?.id;

  const act = (what) => async () => {
    try {
      await what();
      await load();
    } catch (error) {
      app.fail(error);
    }
    if (body.isConnected) draw();
  };

  function item(token) {
    return h('li',
      h('button.plain.token', {
        type: 'button',
        'aria-current': token.id === open ? 'true' : null,
        'data-expired': token.expired || !secondsOf(token) ? 'true' : null,
        onclick: () => ((open = token.id), draw(true)),
      },
      h('span.token-name', token.name), token.chosen && h('span.badge.good', 'in use'), timeLeft(token)));
  }

  function details(token) {
    if (!token) return h('p.quiet', 'There is no token yet. Press Get New Access Token in Authorization.');
    const name = h('input', { type: 'text', value: token.name, maxlength: 100, autocomplete: 'off' });
    name.addEventListener('change', act(() => patch(`/tokens/${token.id}`, { name: name.value })));
    const usable = token.fits && !token.expired;
    return h('section', { 'aria-label': 'Token Details' },
      h('h3', 'Token Details'),
      field('Token Name', name),
      h('dl.facts',
        fact('Access Token', h('code', token.masked), ' ',
          h('button.plain', { type: 'button', onclick: () => copy(token) }, 'Copy')),
        fact('token_type', token.type),
        fact('expires_in', timeLeft(token)),
        fact('Issued', moment(token.issued)),
        fact('Expires', moment(token.expires)),
        token.scope && fact('Scope', token.scope)),
      members('What it says', token.claims), members('How it is signed', token.header),
      !token.claims && h('p.quiet', 'The token is no JWT: it tells nothing to its bearer.'),
      !token.fits && h('p.quiet', 'It was got with other settings than those of the workspace’s Authorization now.'),
      h('footer.buttons',
        h('button.plain.danger', {
          type: 'button', onclick: act(() => remove(`/tokens/${token.id}`)),
        }, 'Delete'),
        h('button', {
          type: 'button', disabled: !usable || token.chosen,
          onclick: act(async () => {
            await post(`/tokens/${token.id}/use`);
            app.say(`Requests go with ${token.name} now.`);
          }),
        }, token.chosen ? 'In use' : 'Use Token')));
  }

  function draw(keepFocus) {
    if (!known.tokens.some((token) => token.id === open)) open = known.chosen ?? known.tokens[0]?.id;
    replace(body,
      h('div.token-list',
        h('h3', 'All Tokens'),
        h('ul', known.tokens.map(item)),
        h('button.plain', {
          type: 'button', disabled: !known.tokens.some((token) => token.expired), onclick: act(deleteExpired),
        }, 'Delete Expired Tokens')),
      details(known.tokens.find((token) => token.id === open)));
    if (keepFocus) body.querySelector('[aria-current]')?.focus();
  }

  draw();
  return dialog('Manage Access Tokens', () => body, 'wide');
}

async function deleteExpired() {
  if (await confirm('Delete expired tokens', 'They are good for nothing any more.', 'Delete')) {
    await remove('/tokens?expired=1');
  }
}

const fact = (name, ...value) => h('div', h('dt', name), h('dd', value));
const moment = (text) => h('time', { datetime: text }, new Date(text).toLocaleString());

function members(title, claims) {
  if (!claims?.length) return null;
  const rows = claims.map((claim) => h('tr',
    h('th', { scope: 'row' }, h('code', claim.name)), h('td', claim.value), h('td.quiet', claim.meaning)));
  return h('details', { open: title === 'What it says' }, h('summary', title),
    h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': title },
      h('table.claims', h('thead', h('tr', ['Claim', 'Value', 'Meaning'].map((name) => h('th', { scope: 'col' }, name)))),
        h('tbody', rows))));
}

async function copy(token) {
  try {
    // The clipboard takes a promise, so the value passes no variable of this page.
    const text = ask('GET', `/tokens/${token.id}/value`).then(async (answer) =>
      new Blob([(await answer.json()).value], { type: 'text/plain' }));
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': text })]);
    app.say('The token is on the clipboard. Whoever has it can use it.');
  } catch {
    app.say('The browser does not let this page use the clipboard: allow it, and press Copy again', 'bad');
  }
}
