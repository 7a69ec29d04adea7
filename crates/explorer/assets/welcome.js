// Where a workspace begins: what is there, what is missing, and where to go on.

import { app } from './app.js';
import { get } from './api.js';
import { h, replace } from './dom.js';

app.route('/', (params, element) => {
  let isHere = true;
  const draw = async () => {
    const workspace = app.workspace;
    const [tokens, history] = await Promise.all([
      get('/tokens').then((answer) => answer.tokens, () => []),
      get('/history').catch(() => []),
    ]);
    if (isHere) replace(element, h('h2', 'What to do next'), h('ol.steps', steps(workspace, tokens, history).map(step)));
  };
  const off = app.on('workspace', draw);
  draw();
  return () => {
    isHere = false;
    off();
  };
});

function steps(workspace, tokens, history) {
  const { definitions, environments, activeEnvironment, favourites } = workspace;
  const active = environments.find((one) => one.id === activeEnvironment);
  const address = active?.variables.find((one) => one.name === 'baseUrl' && one.on);
  const good = tokens.filter((one) => !one.expired);
  const first = favourites[0];
  return [
    {
      title: 'A definition says what the API can do',
      done: definitions.length > 0,
      text: definitions.length ? definitions.map((one) => `${one.title} ${one.version}`).join(', ')
        : 'Import the definition of an API: a file, an address or a text.',
      links: definitions.map((one) => [app.link('definition', one.id), `Look at ${one.title}`]),
    },
    {
      title: 'An environment says where the API is',
      done: Boolean(active && address?.set),
      text: !active ? 'Choose one in the bar above, or make one.'
        : address?.set ? `${active.name}: ${address.current ?? address.initial}`
        : `${active.name} has no value for baseUrl, the address of the API.`,
      links: environments.length > 0 && [[app.link('environments', (active ?? environments[0]).id), 'Environments']],
    },
    {
      title: 'A token opens the API',
      done: good.length > 0,
      text: good.length ? `${good.length === 1 ? 'There is one' : `There are ${good.length}`} that ${good.length === 1 ? 'has' : 'have'} not expired.`
        : 'Type the client id and the client secret of your credential once, and press Get New Access Token.',
      links: [[app.link('authorization'), 'Authorization']],
    },
    {
      title: 'Send a request',
      done: history.length > 0,
      text: history.length ? 'What you sent is in the history at the side.'
        : 'Choose an operation in the library at the side, fill in the form and press Send. Press / to search.',
      links: first ? [[app.link('op', first.definition, first.operation), `Your favourite ${first.operation}`]] : [],
    },
  ];
}

function step({ title, done, text, links }) {
  return h('li', { 'data-done': String(done) },
    h('h3', title, ' ', h(`span.badge.${done ? 'good' : 'quiet'}`, done ? 'done' : 'to do')), h('p', text),
    links && links.length > 0 && h('p.actions', links.map(([href, label]) => h('a', { href }, label))));
}
