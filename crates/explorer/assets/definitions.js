// Where definitions come in and are looked at. The scripts for it are loaded when somebody wants them: most
// people import once and send every day.

import { app } from './app.js';
import { h } from './dom.js';

const importing = () => import('./import.js');

// Asks for a definition; `{ replaces }` is one that it is meant to replace, `{ files }` were chosen already.
const ask = (options) => importing().then(({ importDialog }) => importDialog(options)).catch(app.fail);

app.bar(30, h('button.plain', { type: 'button', onclick: () => ask() }, 'Import'));
app.on('import', ask);

// A view whose script is loaded when it is first shown.
const view = (load, name) => (params, element) => {
  let left = false;
  let leave;
  load().then((script) => {
    if (!left) leave = script[name](params, element);
  }).catch(app.fail);
  return () => {
    left = true;
    leave?.();
  };
};

app.route('/definition/:definition', view(() => import('./definition.js'), 'show'));
app.route('/docs/:definition', view(() => import('./docs.js'), 'overview'));
app.route('/docs/:definition/:operation', view(() => import('./docs.js'), 'show'));

// Files that are dropped anywhere on the page.
const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
const veil = h('div.import-veil', { 'aria-hidden': 'true' }, 'Drop the definition to import it');

document.addEventListener('dragover', (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  if (!veil.isConnected) document.body.append(veil);
});
document.addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) veil.remove();
});
document.addEventListener('drop', (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  veil.remove();
  // What was dropped is at hand in this moment only.
  const files = [...event.dataTransfer.files];
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  importing().then(async ({ dropped }) => {
    const found = await dropped(files, entries);
    for (const one of document.querySelectorAll('dialog.explorer-dialog')) {
      one.dispatchEvent(new Event('cancel', { cancelable: true }));
    }
    if (found.length) ask({ files: found });
  }).catch(app.fail);
});
