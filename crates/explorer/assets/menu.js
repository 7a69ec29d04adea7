// The workspace's menu in the bar: its name, sharing it, leaving it and removing it.

import { app } from './app.js';
import { ask, get, patch, remove } from './api.js';
import { confirm, h, replace } from './dom.js';
import { askName } from './history.js';

const others = h('ul.plain');
const list = h('div.explorer-menu', { id: 'workspace-menu', hidden: true });
const button = h('button.plain', {
  type: 'button', 'aria-expanded': 'false', 'aria-controls': list.id, onclick: () => toggle(list.hidden),
}, 'Workspace');
const order = (label, act) => h('button.plain', {
  type: 'button',
  onclick: () => {
    toggle(false);
    act().catch((error) => app.fail(error));
  },
}, label);
const file = h('input', { type: 'file', accept: '.json,application/json', hidden: true, 'aria-label': 'Shared file', onchange: bringIn });

replace(list,
  order('Rename', rename),
  order('Export as a file to share', takeAway),
  order('Import a shared file', async () => file.click()),
  order('Remove', drop),
  h('h2', 'Workspaces'), others, h('a.plain', { href: '/explorer' }, 'All workspaces'));
app.bar(90, h('div.explorer-menu-place', { onkeydown: escape }, button, list, file));
document.addEventListener('click', (event) => list.parentElement.contains(event.target) || toggle(false));

async function toggle(isOpen) {
  list.hidden = !isOpen;
  button.setAttribute('aria-expanded', String(isOpen));
  if (!isOpen) return;
  const all = await get('/explorer/api/workspaces').catch(() => []);
  replace(others, all.filter((one) => one.id !== app.workspace.id)
    .map((one) => h('li', h('a.plain', { href: `/explorer/w/${one.id}` }, one.name))));
}

function escape(event) {
  if (event.key !== 'Escape' || list.hidden) return;
  toggle(false);
  button.focus();
}

async function rename() {
  const name = await askName('Rename the workspace', 'Name', app.workspace.name, 'Rename');
  if (!name) return;
  await patch('', { name });
  await app.reload();
  document.querySelector('.explorer-name').textContent = app.workspace.name;
  document.title = `${app.workspace.name} · Hallpass`;
}

async function takeAway() {
  const answer = await ask('GET', '/export');
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition')) ?? [, 'workspace.json'];
  const link = h('a', { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function bringIn() {
  const [chosen] = file.files;
  file.value = '';
  if (!chosen) return;
  try {
    const headers = { 'content-type': 'application/octet-stream' };
    const { id } = await (await ask('POST', '/explorer/api/workspaces/import', chosen, { headers })).json();
    location.assign(`/explorer/w/${id}`);
  } catch (error) {
    app.fail(error);
  }
}

async function drop() {
  const text = 'Its definitions, environments, saved requests and history are gone then, and so are its secrets. This cannot be undone.';
  if (!(await confirm(`Remove ${app.workspace.name}?`, text, 'Remove the workspace'))) return;
  await remove('');
  location.assign('/explorer');
}
