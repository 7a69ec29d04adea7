// Where the page's scripts begin: every part hangs itself into the frame, and the frame starts.

import { app, start } from './app.js';
import './authorization.js';
import './environments.js';
import './definitions.js';
import './welcome.js';
import './library.js';
import './history.js';
import './menu.js';
import './request.js';

start().catch((error) => app.fail(error));
