"""The pages that are measured: how each is started, and when it is usable."""

import functools
import http.server
import os
import subprocess
import threading

LOOK_AND_TAKE = """
const [text, done] = arguments;
const root = document.getElementById('explorer');
const base = `/explorer/api/w/${root.dataset.workspace}/definitions`;
const ask = (path, type, body) => fetch(base + path, { method: 'POST', body,
  headers: { 'content-type': type, 'x-csrf-token': root.dataset.formToken } }).then((answer) => answer.json());
const begin = performance.now();
ask('/look?source=definition.json', 'application/octet-stream', text).then(async (look) => {
  const looked = performance.now() - begin;
  await ask('', 'application/json', JSON.stringify({ look: look.look, documentation: true }));
  done({ operations: look.operations, looked, read: look.milliseconds });
}, (error) => done({ error: String(error) }));
"""


class Explorer:
    # Folders or operations of the definition can be seen and pressed.
    usable = "document.querySelectorAll('[role=treeitem]').length > 5 && document.querySelector('#explorer[data-ready]')"
    search = "input[type=search]"

    def __init__(self, binary, folder, definition):
        self.binary, self.folder, self.definition = binary, folder, definition

    def __enter__(self):
        home = {"HOME": self.folder, "XDG_DATA_HOME": self.folder / "data", "XDG_STATE_HOME": self.folder / "state"}
        home |= {"XDG_CONFIG_HOME": self.folder / "config", "XDG_RUNTIME_DIR": self.folder}
        environment = os.environ | {name: str(value) for name, value in home.items()}
        environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
        self.process = subprocess.Popen(
            [self.binary, "explorer"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.address = next(line.strip() for line in self.process.stdout if line.startswith("http"))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def prepare(self, browser):
        browser.go(self.address)
        browser.run(
            "document.getElementById('name').value = 'Benchmark';"
            "document.querySelector('input[type=checkbox]').checked = false;"
            "document.querySelector('form[action=\"/explorer/workspaces\"]').submit();"
        )
        browser.until("return !!document.querySelector('#explorer[data-ready]')")
        taken = browser.wait(LOOK_AND_TAKE, self.definition.decode())
        if "error" in taken:
            raise SystemExit(f"error: {taken['error']}")
        self.told = "{operations} operations; looked at in {looked:.0f} ms, {read} of them reading".format(**taken)
        return browser.run("return location.href.split('#')[0]")


PAGE = """<!doctype html><meta charset="utf-8"><title>Swagger UI</title>
<link rel="stylesheet" href="swagger-ui.css"><div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script>
SwaggerUIBundle({ url: 'definition.json', dom_id: '#swagger-ui', docExpansion: 'none', filter: true, validatorUrl: null });
</script>"""


class SwaggerUi:
    # All groups can be seen and pressed; the operations are not drawn, which is quicker.
    usable = "document.querySelectorAll('.opblock-tag').length > 5"
    search = "input.operation-filter-input"
    told = "the groups closed, with its filter"

    def __init__(self, folder, definition):
        self.folder, self.definition = folder, definition

    def __enter__(self):
        own = {"/": ("text/html", PAGE.encode()), "/definition.json": ("application/json", self.definition)}
        handler = functools.partial(Handler, own, directory=str(self.folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def prepare(self, _browser):
        return f"http://127.0.0.1:{self.server.server_port}/"


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, own, *given, **named):
        self.own = own
        super().__init__(*given, **named)

    def do_GET(self):
        if self.path not in self.own:
            return super().do_GET()
        kind, content = self.own[self.path]
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
