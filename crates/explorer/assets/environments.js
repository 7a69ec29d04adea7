// Environments: which one is active, always in sight; a quick look at what its names stand for; and making a
// new one. The editor comes when somebody opens one.

import { app } from './app.js';
import { get, patch, post } from './api.js';
import { h, replace, field, dialog } from './dom.js';

export const byId = (id) => app.workspace.environments.find((one) => one.id === id);
export const active = () => byId(app.workspace.activeEnvironment);

app.later(/^\/environments\//, () => import('./environment.js'));

// ---- the bar ----

const choice = h('select', { 'aria-label': 'Environment', onchange: () => activate(choice.value) });
const lookButton = h('button.plain', { type: 'button', onclick: quickLook, 'aria-label': 'Values of the environment' }, 'Values');
app.bar(20, h('div.bar-environment', choice, lookButton));

app.on('workspace', (workspace) => {
  const none = !active();
  replace(choice,
    none && h('option', { value: '', selected: true }, 'No environment'),
    workspace.environments.map((one) => h('option', { value: one.id, selected: one.id === workspace.activeEnvironment }, one.name)),
    h('option', { value: 'new' }, 'New environment …'));
});

export async function activate(id) {
  if (id === 'new') {
    choice.value = app.workspace.activeEnvironment ?? '';
    newEnvironment();
    return;
  }
  try {
    await patch('', { activeEnvironment: id });
    await app.reload();
    app.emit('environment', id);
  } catch (error) {
    app.fail(error);
  }
}

// ---- what the names stand for ----

async function quickLook() {
  let used = [];
  try {
    used = await get('/variables');
  } catch (error) {
    app.fail(error);
  }
  const environment = active();
  dialog(environment ? `Values in ${environment.name}` : 'No environment is chosen', (close) => {
    const rows = used.map((one) => h('tr',
      h('th', { scope: 'row' }, h('code', `{{${one.name}}}`)),
      one.missing
        ? h('td', h('span.badge.bad', 'missing'))
        : h('td', h('code', one.value)),
      h('td.quiet', one.from)));
    return [
      rows.length
        ? h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Values' },
          h('table.claims', h('thead', h('tr', ['Variable', 'Effective value', 'Where from'].map((name) => h('th', { scope: 'col' }, name)))),
            h('tbody', rows)))
        : h('p.quiet', 'It has no variables yet.'),
      h('footer.buttons',
        h('button.plain', { type: 'button', onclick: () => (close(), newEnvironment()) }, 'New environment'),
        environment && h('button', {
          type: 'button', onclick: () => (close(), app.go('environments', environment.id)),
        }, 'Edit environment')),
    ];
  }, 'wide');
}

// ---- a new one ----

export async function newEnvironment(copyOf) {
  const regions = await get('/explorer/api/regions').catch(() => []);
  const name = h('input', { type: 'text', maxlength: 100, autocomplete: 'off', placeholder: 'DSCC testing' });
  const start = h('select',
    h('option', { value: '' }, 'Empty'),
    regions.length && h('optgroup', { label: 'A region, with its baseUrl' }, regions.map((one) =>
      h('option', { value: `region:${one.name}` }, `${one.title} (${one.name}), ${one.baseUrl}`))),
    app.workspace.environments.length && h('optgroup', { label: 'A copy, with its secrets' }, app.workspace.environments.map((one) =>
      h('option', { value: `copy:${one.id}`, selected: one.id === copyOf }, one.name))));
  const problem = h('div', { role: 'alert' });
  const id = await dialog('New environment', (close) => {
    const create = async (event) => {
      event.preventDefault();
      const [kind, which] = start.value.split(/:(.*)/);
      const more = { region: { region: which }, copy: { copyOf: which } }[kind] ?? {};
      try {
        close((await post('/environments', { name: name.value, ...more })).id);
      } catch (error) {
        replace(problem, h('p.notice.alert', `${error.message}: ${error.hint}`));
        name.focus();
      }
    };
    return h('form', { onsubmit: create }, problem, field('Name', name), field('Begin with', start),
      h('footer.buttons',
        h('button.plain', { type: 'button', onclick: () => close() }, 'Cancel'),
        h('button', { type: 'submit' }, 'Create environment')));
  });
  if (!id) return;
  await app.reload();
  if (app.workspace.activeEnvironment === id) app.emit('environment', id);
  app.go('environments', id);
}
