// Where the page's scripts begin: every part hangs itself into the frame, and the frame starts.

import { app, start } from './app.js';
import './authorization.js';
import './environments.js';
import './import.js';
import './definition.js';
import './docs.js';
import './welcome.js';
import './library.js';
import './history.js';
import './menu.js';

start().catch((error) => app.fail(error));
