// How requests authenticate: the form at the root of the workspace, which every request inherits, and the
// same form for one request.

import { app } from './app.js';
import { post, put } from './api.js';
import { h, replace, field, later, unique } from './dom.js';
import { current, getNew, known, load, manageTokens, timeLeft } from './tokens.js';

const TYPES = { oauth2: 'OAuth 2.0', bearer: 'Bearer Token', profile: 'Profile of the command line', none: 'No Auth' };

const FRESH = {
  oauth2: {
    tokenName: '', grantType: 'client_credentials', accessTokenUrl: '', clientId: '', clientSecret: { kind: 'empty' },
    scope: '', clientAuthentication: 'body', headerPrefix: 'Bearer', addTo: 'header', renew: true,
  },
  bearer: { headerPrefix: 'Bearer', token: { kind: 'empty' } },
  profile: { profile: '' },
  none: {},
};

// The form. `value` is the authorization, or null when it is inherited, which only a request may do
// (`inherit`). `onChange(value)` is called with what may be stored: a secret that was typed has been put
// where secrets are kept before, and the value names it. `flush` sees to it that the server knows what is
// shown before a token is got.
export function authorizationForm({ value, onChange, inherit = false, flush }) {
  const form = h('div.authorization');
  const root = app.workspace.authorization;
  let now = value;

  const change = (changes) => {
    now = { ...now, ...changes };
    look();
    onChange(now);
  };

  // A literal secret goes to the server at once, and comes back as the name of what is kept.
  let changing;
  const typed = (name, text) => inTurn(async () => {
    changing = undefined;
    try {
      const settings = { ...now, [name]: { kind: 'typed', text } };
      const told = inherit
        ? await post('/authorization/draft', settings)
        : await put('/authorization', settings);
      now = told.authorization;
      if (!inherit) app.workspace.authorization = now;
      onChange(now, true);
      draw();
    } catch (error) {
      app.fail(error);
    }
  });

  function text(name, label, options = {}) {
    const input = h('input', {
      type: 'text', value: now[name], autocomplete: 'off', spellcheck: 'false', placeholder: options.placeholder,
    });
    input.addEventListener('input', () => change({ [name]: input.value }));
    return previewed(field(label, input, options.hint), input, () => now[name]);
  }

  function select(name, label, choices, hint) {
    const input = h('select', Object.entries(choices).map(([key, shown]) =>
      h('option', { value: key, selected: now[name] === key }, shown)));
    input.addEventListener('change', () => change({ [name]: input.value }));
    return field(label, input, hint);
  }

  function secret(name, label) {
    const literal = now[name] ?? { kind: 'empty' };
    if (literal.kind === 'kept' && changing !== name) {
      const id = unique('secret');
      return h('div.field', { role: 'group', 'aria-labelledby': id },
        h('span.label', { id }, label),
        h('div.kept', h('code', '********'),
          h('button.plain', { type: 'button', onclick: () => ((changing = name), draw(name)) }, 'Change'),
          h('button.plain', { type: 'button', onclick: () => typed(name, '') }, 'Forget')),
        h('span.hint', { 'data-kind': 'warn' }, KEPT));
    }
    const input = h('input', {
      type: literal.kind === 'reference' ? 'text' : 'password', value: literal.text ?? '',
      autocomplete: 'off', spellcheck: 'false', 'data-field': name,
    });
    // A reference is no secret, and is easier to write when it can be seen.
    input.addEventListener('input', () => {
      input.type = input.value.startsWith('{') ? 'text' : 'password';
    });
    input.addEventListener('change', () => {
      // Whoever leaves the field empty did not change the secret after all.
      if (input.value || literal.kind !== 'kept') typed(name, input.value);
      else draw((changing = undefined));
    });
    return previewed(field(label, input, 'Type it, or name a variable: {{clientSecret}}'), input, () => now[name]?.text);
  }

  // Below a field whose text names variables: what it stands for.
  const previews = [];
  function previewed(element, input, read) {
    const shown = h('span.effective', { hidden: true, id: unique('effective') });
    const about = input.getAttribute('aria-describedby');
    input.setAttribute('aria-describedby', [about, shown.id].filter(Boolean).join(' '));
    element.append(shown);
    previews.push({ shown, read });
    return element;
  }

  const look = later(200, async () => {
    const named = previews.filter(({ shown, read }) => {
      const names = /\{\{/.test(read() ?? '');
      if (!names) shown.hidden = true;
      return names;
    });
    if (!named.length || !form.isConnected) return;
    try {
      const looked = await post('/variables/look', { texts: named.map(({ read }) => read()) });
      named.forEach(({ shown }, at) => effective(shown, looked[at]));
    } catch (error) {
      app.fail(error);
    }
  });
  form.look = look;

  function oauth2() {
    const available = known.tokens.filter((token) => token.fits);
    return [
      select('addTo', 'Add auth data to', { header: 'Request Headers' }),
      h('fieldset',
        h('legend', 'Current Token'),
        !inherit && tokenChoice(available),
        text('headerPrefix', 'Header Prefix', { hint: 'What stands before the token in the header Authorization.' })),
      h('fieldset',
        h('legend', 'Configure New Token'),
        h('div.pairs',
          text('tokenName', 'Token Name', { placeholder: 'GreenLake' }),
          select('grantType', 'Grant Type', { client_credentials: 'Client Credentials' }),
          h('div.whole', text('accessTokenUrl', 'Access Token URL', { placeholder: 'https://sso.common.cloud.hpe.com/as/token.oauth2' })),
          text('clientId', 'Client ID'),
          secret('clientSecret', 'Client Secret'),
          text('scope', 'Scope', { hint: 'Usually empty.' }),
          select('clientAuthentication', 'Client Authentication',
            { body: 'Send client credentials in body', basic: 'Send as Basic Auth header' })),
        renewal()),
      h('div.actions',
        h('button', { type: 'button', onclick: getToken }, 'Get New Access Token'),
        h('button.plain', { type: 'button', onclick: () => manageTokens() }, 'Manage tokens')),
    ];
  }

  async function getToken() {
    await turn;
    if (!flush) await getNew(now);
    else if (await flush()) await getNew();
  }

  function tokenChoice(available) {
    const select = h('select',
      !available.some((token) => token.chosen) && h('option', { value: '', selected: true }, 'No token yet'),
      available.map((token) => h('option', {
        value: token.id, selected: token.chosen, disabled: token.expired,
      }, `${token.name}, ${new Date(token.issued).toLocaleTimeString()}${token.expired ? ' (expired)' : ''}`)));
    select.addEventListener('change', async () => {
      try {
        await post(`/tokens/${select.value}/use`);
        await load();
      } catch (error) {
        app.fail(error);
      }
    });
    const chosen = current();
    return h('div.current-token', field('Access Token', select),
      h('p', chosen ? timeLeft(chosen) : h('span.quiet', 'There is none yet.')));
  }

  function renewal() {
    const input = h('input', { type: 'checkbox', checked: now.renew });
    input.addEventListener('change', () => change({ renew: input.checked }));
    return h('div.switch', h('label', input, ' Renew the token automatically'),
      h('p.hint', 'A new token is got when the old one ends or is refused. Without it you press Get New Access Token yourself.'));
  }

  function bearer() {
    return [
      h('div.pairs', secret('token', 'Token'), text('headerPrefix', 'Header Prefix')),
    ];
  }

  function profile() {
    const profiles = app.workspace.profiles;
    if (!profiles.length) {
      return h('p.quiet', 'There is no profile. Make one on the command line: ', h('code', 'hallpass profile add'), '.');
    }
    const choices = Object.fromEntries(profiles.map((name) => [name, name]));
    return select('profile', 'Profile', now.profile ? choices : { '': 'Choose a profile', ...choices },
      'Its credential and its tokens are shared with the command line.');
  }

  function draw(focus) {
    previews.length = 0;
    const type = now?.type ?? 'inherit';
    const choices = { ...(inherit ? { inherit: 'Inherit auth from parent' } : {}), ...TYPES };
    if (!app.workspace.local && type !== 'profile') delete choices.profile;
    const input = h('select', Object.entries(choices).map(([key, shown]) =>
      h('option', { value: key, selected: key === type }, shown)));
    input.addEventListener('change', () => {
      now = input.value === 'inherit' ? null : fresh(input.value, root);
      onChange(now);
      draw();
      form.querySelector('select')?.focus();
    });
    const parts = { oauth2, bearer, profile };
    replace(form, field('Type', input),
      type === 'inherit' && h('p.quiet', `The workspace says: ${TYPES[root.type]}. `, h('a', { href: '#/authorization' }, 'Open Authorization')),
      type === 'none' && h('p.quiet', 'Requests are sent without an access token.'),
      parts[type]?.());
    look();
    if (focus) form.querySelector(`[data-field="${focus}"]`)?.focus();
  }

  form.draw = () => {
    // What is being typed is not taken away.
    if (!form.contains(document.activeElement)) draw();
  };
  draw();
  return form;
}

// One change of the settings after the other.
let turn = Promise.resolve();
const inTurn = (act) => (turn = turn.then(act));

const KEPT = 'A literal secret is kept in the key store, not in the workspace: who gets the workspace types their own. A variable, {{clientSecret}}, would be shared by name.';

// What another type begins with: what is known already.
function fresh(type, root) {
  const known = root.type === type ? root : FRESH[type];
  const profile = app.workspace.profiles[0] ?? '';
  return { type, ...known, ...(type === 'profile' ? { profile } : {}) };
}

// Shows what a text with names stands for, or which name has no value.
export function effective(element, { masked, used }) {
  const missing = used.find((one) => one.missing);
  element.hidden = false;
  element.dataset.kind = missing ? 'bad' : 'quiet';
  element.textContent = missing ? `No value for {{${missing.name}}}: ${missing.from}` : `= ${masked}`;
  element.title = used.map((one) => `${one.name}: ${one.from}`).join('\n');
}

function page(_, view) {
  const status = h('span.save-state', { role: 'status' }, 'Saved');
  let dirty = false;

  const say = (text, kind = 'quiet') => {
    status.textContent = text;
    status.dataset.kind = kind;
  };
  async function save() {
    if (!dirty) return;
    dirty = false;
    try {
      await put('/authorization', app.workspace.authorization);
      if (!dirty) say('Saved');
      app.emit('authorization');
      await load();
    } catch (error) {
      dirty = true;
      say(`Not saved: ${error.message}`, 'bad');
    }
  }
  const soon = later(600, () => inTurn(save));
  const onChange = (value, stored) => {
    app.workspace.authorization = value;
    if (stored) {
      say('Saved');
      load().catch(app.fail);
      return;
    }
    dirty = true;
    say('Saving …');
    soon();
  };

  const flush = async () => {
    await inTurn(save);
    return !dirty;
  };
  const form = authorizationForm({ value: app.workspace.authorization, onChange, flush });
  replace(view,
    h('header.view-head', h('h2', 'Authorization'), status),
    h('p.quiet', 'Every request inherits this, unless it has an authorization of its own.'),
    form);
  const off = app.on('tokens', () => form.isConnected && form.draw());
  load().catch(app.fail);
  return () => {
    off();
    app.saving(inTurn(save));
  };
}

app.route('/authorization', page);
app.route('/tokens', (params, view) => {
  manageTokens();
  return page(params, view);
});

// In the bar: whether there is a token, and the way to the form.
const link = h('a.bar-link', { href: '#/authorization' }, 'Authorization');
const state = h('span.bar-token');
link.append(' ', state);
app.bar(30, link);
function showState() {
  const type = app.workspace?.authorization.type;
  const token = current();
  replace(state, type !== 'oauth2' ? null : token ? timeLeft(token) : h('span.badge.quiet', 'no token'));
}
app.on('tokens', showState);
app.on('workspace', () => (showState(), load().catch(app.fail)));
app.on('environment', () => load().catch(app.fail));
app.on('answer', () => load().catch(app.fail));
