// Where the page's scripts begin: every part hangs itself into the frame, and the frame starts.

import { app, start } from './app.js';
import './authorization.js';
import './environments.js';
import './definitions.js';
import './welcome.js';
import './library.js';
import './history.js';
import './menu.js';

// Where requests are filled in and answers are read is most of the scripts: it comes when it is first wanted.
const editor = () => import('./request.js').then((parts) => (early(), parts));
const early = app.on('open-draft', (draft) => {
  early();
  editor().then(() => app.emit('open-draft', draft)).catch(app.fail);
});
app.later(/^\/(op|request|saved)(\/|$)/, editor);

start().catch((error) => app.fail(error));
