// A task that an answer began, followed until it ends: the server is asked again and again, more and more
// seldom, as long as somebody looks.

import { ask, post } from './api.js';
import { app } from './app.js';
import { h, replace } from './dom.js';
import { parse } from './json.js';
import { pretty } from './pretty.js';
import { capital } from './words.js';

const FIRST = 700;
const SLOWEST = 10_000;
const PATIENCE = 30 * 60_000;

// The panel of a task. `isCurrent()` says whether the answer is still looked at.
export function follow(task, isCurrent) {
  const bar = h('progress', { max: '100', 'aria-label': 'Progress of the task' });
  const said = h('p', { role: 'status' }, 'The server is doing it. It is being followed…');
  const name = h('strong', 'Task');
  const actions = h('div.actions');
  const results = h('div');
  const element = h('section.answer-task', { 'aria-label': 'Task' }, h('div.answer-task-line', name, bar), said, actions, results);
  let ended = false;
  let round = 0;

  const open = h('button.plain', { type: 'button', onclick: () => app.emit('open-draft', task.draft) }, 'Open the task');
  const again = h('button.plain', { type: 'button', onclick: () => run() }, 'Look again');
  const waiting = () => replace(actions, task.draft && open);
  const stopped = (words) => {
    said.textContent = words;
    replace(actions, again, task.draft && open);
  };

  const show = (found) => {
    name.textContent = found.name || 'Task';
    if (found.progress == null) bar.removeAttribute('value');
    else bar.value = found.progress;
    const percent = found.progress == null ? '' : `, ${found.progress} %`;
    const line = capital(found.ended || !found.state ? found.what : `${found.what} (${found.state}${percent})`);
    if (said.textContent !== line) said.textContent = line;
    if (!found.ended) return;
    ended = true;
    element.dataset.kind = found.ok ? 'good' : 'bad';
    if (found.ok) bar.value = 100;
    else if (found.progress == null) bar.remove();
    outcome(found.answer, results);
  };

  async function run() {
    const mine = (round += 1);
    const until = Date.now() + PATIENCE;
    waiting();
    for (let pause = FIRST; !ended; pause = Math.min(SLOWEST, pause * 1.25)) {
      await new Promise((over) => { setTimeout(over, pause); });
      if (mine !== round) return;
      if (!isCurrent()) return stopped('It is not followed any more, because another page was opened. The task goes on.');
      if (Date.now() > until) return stopped('It takes long, and is not followed any more. The task goes on.');
      try {
        show(await post('/tasks/look', { uri: task.uri, draft: task.draft }));
      } catch (error) {
        return stopped(`It could not be looked at: ${error.message}${error.hint ? `. ${error.hint}` : ''}`);
      }
    }
    return undefined;
  }
  run();
  return element;
}

// The task as it ended, with the things it was about as links.
async function outcome(answer, place) {
  if (!answer?.kept || answer.file) return;
  const details = h('details', h('summary', 'The task as it ended'));
  const links = (answer.links ?? []).filter((one) => !one.pointer.startsWith('/parentTask') && one.pointer !== '/resourceUri');
  const known = new Map(links.map((one) => [one.target, one]));
  replace(place,
    known.size > 0 && h('p.actions', [...known.values()].slice(0, 8).map((one) => h('button.plain', {
      type: 'button', onclick: () => app.emit('open-draft', one.draft),
    }, `Open ${one.target}`))),
    details);
  details.addEventListener('toggle', async () => {
    try {
      const text = await (await ask('GET', `/answers/${encodeURIComponent(answer.id)}/body`)).text();
      details.append(pretty(parse(text), text, answer));
    } catch (error) {
      app.fail(error);
    }
  }, { once: true });
}
