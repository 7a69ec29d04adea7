"""Chromium by way of chromedriver (W3C WebDriver, and the DevTools commands behind it), without a library."""

import json
import subprocess
import time
import urllib.request

# Runs in every page before its own scripts: when the tree is usable, and what was refused.
OBSERVE = """
window.measured = { usable: null, refusals: 0, tasks: [], events: [] };
document.addEventListener('securitypolicyviolation', () => { measured.refusals += 1; });
new PerformanceObserver((list) => measured.tasks.push(...list.getEntries().map((one) => [one.startTime, one.duration])))
  .observe({ type: 'longtask', buffered: true });
new PerformanceObserver((list) => measured.events.push(...list.getEntries().map((one) => [one.startTime, one.duration])))
  .observe({ type: 'event', durationThreshold: 16 });
const look = () => {
  if (%s) measured.usable = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

LOOK = """
const scripts = performance.getEntriesByType('resource').filter((one) =>
  one.initiatorType === 'script' || new URL(one.name).pathname.endsWith('.js'));
const foreign = performance.getEntriesByType('resource').filter((one) => new URL(one.name).origin !== location.origin);
return {
  usable: measured.usable,
  refusals: measured.refusals,
  script: scripts.reduce((sum, one) => sum + one.decodedBodySize, 0),
  foreign: foreign.length,
  nodes: document.querySelectorAll('*').length,
};
"""


class Chromium:
    def __init__(self, folder):
        self.folder = folder
        self.observer = None

    def __enter__(self):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.driver.stdout:
            if "successfully on port" in line:
                self.port = line.rsplit("port", 1)[1].strip().rstrip(".")
                break
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
        flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.folder}"]
        flags += ["--window-size=1280,900"]
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": flags}}
        self.session = None
        made = self.ask("POST", "session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = made["sessionId"]
        self.command("Network.enable")
        self.command("Performance.enable")
        return self

    def __exit__(self, *_):
        self.ask("DELETE", "")
        self.driver.terminate()
        self.driver.wait()

    def ask(self, method, path, body=None):
        place = f"session/{self.session}/{path}".rstrip("/") if self.session else path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{place}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)["value"]

    def command(self, name, **params):
        return self.ask("POST", "goog/cdp/execute", {"cmd": name, "params": params})

    def run(self, script, *given):
        return self.ask("POST", "execute/sync", {"script": script, "args": list(given)})

    def wait(self, script, *given):
        """What a script that calls its last argument gives to it."""
        return self.ask("POST", "execute/async", {"script": script, "args": list(given)})

    def go(self, address):
        self.ask("POST", "url", {"url": address})

    def open(self, address, usable):
        """Opens a page with nothing in the cache, and waits until it is usable."""
        if self.observer:
            self.command("Page.removeScriptToEvaluateOnNewDocument", identifier=self.observer)
        made = self.command("Page.addScriptToEvaluateOnNewDocument", source=OBSERVE % usable)
        self.observer = made["identifier"]
        self.go("about:blank")
        self.command("Network.clearBrowserCache")
        self.go(address)
        self.until("return measured.usable")

    def until(self, script, seconds=60):
        end = time.monotonic() + seconds
        while not (found := self.run(script)):
            if time.monotonic() > end:
                raise SystemExit(f"error: nothing came of {script!r}")
            time.sleep(0.02)
        return found

    def look(self):
        # What comes after the tree belongs to the page too.
        time.sleep(1)
        self.command("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in self.command("Performance.getMetrics")["metrics"]}
        return self.run(LOOK) | {"heap": metrics["JSHeapUsedSize"] / 1e6}

    def type_into(self, search, text):
        """Types like somebody quick, a key every 60 ms; the longest task and the longest event."""
        begin = self.run(f"document.querySelector({json.dumps(search)}).focus(); return performance.now()")
        for letter in text:
            self.command("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
            self.command("Input.dispatchKeyEvent", type="keyUp", key=letter)
            time.sleep(0.06)
        time.sleep(1)
        typed = self.run(f"return document.querySelector({json.dumps(search)}).value")
        if typed != text:
            raise SystemExit(f"error: the search field holds {typed!r}")
        longest = "Math.max(0, ...measured.%s.filter(([at]) => at >= arguments[0]).map(([, long]) => long))"
        return {
            "typing": self.run(f"return {longest % 'tasks'}", begin),
            "event": self.run(f"return {longest % 'events'}", begin),
        }
