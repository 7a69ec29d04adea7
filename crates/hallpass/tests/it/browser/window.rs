//! A chromium with nothing in it, and what a person does with it: open, read, click, fill, press keys.
//!
//! Whatever is looked for is waited for; nothing waits for a time. Elements are found by what a reader
//! sees, the words of a label, a button or a link, so that a test reads like instructions to a person.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::driver::Driver;
use crate::world::text;

/// How chromium is started. The rest of what it knows is an empty folder.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The key under which WebDriver names an element (section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The keys of the keyboard that tests press, in WebDriver's code (section 17.4.2).
pub(super) const TAB: char = '\u{e004}';
pub(super) const ENTER: char = '\u{e007}';
pub(super) const DOWN: char = '\u{e015}';
pub(super) const ESCAPE: char = '\u{e00c}';
pub(super) const SPACE: char = ' ';
pub(super) const HOME: char = '\u{e011}';
pub(super) const END: char = '\u{e010}';
pub(super) const LEFT: char = '\u{e012}';
pub(super) const RIGHT: char = '\u{e014}';

/// A key that is held, and the letting go of all that are.
const CONTROL: char = '\u{e009}';
const RELEASE: char = '\u{e000}';

/// What the driver says of an element that is not there any more.
const DRAWN_ANEW: [&str; 2] = ["stale element reference", "element not interactable"];

/// How long a page may take to show what it must, and how often it is looked at meanwhile.
const WAIT: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Finds the one that can be seen, or `null`. The first argument is the kind, the second the words.
const FIND: &str = r"
    const [kind, words] = arguments;
    const seen = (element) => element.checkVisibility({ visibilityProperty: true });
    const said = (element) => element.textContent.replace(/\s+/g, ' ').trim();
    if (kind === 'css') return [...document.querySelectorAll(words)].find(seen) ?? null;
    // What is behind a dialog cannot be reached.
    const scope = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
    if (kind === 'control') {
      const labels = [...scope.querySelectorAll('label')].filter((label) => label.control && seen(label.control));
      const label = labels.find((label) => said(label) === words) ?? labels.find((label) => said(label).startsWith(words));
      return label?.control ?? scope.querySelector(`[aria-label='${words}']`);
    }
    const all = [...scope.querySelectorAll('a, button, summary')].filter(seen);
    const named = (element) => element.getAttribute('aria-label') ?? said(element);
    return all.find((element) => named(element) === words) ?? null;
";

/// A window of its own; closed with the value.
pub(super) struct Window {
    driver: Arc<Driver>,
    session: String,
}

impl Window {
    /// Starts one that keeps what it must in `folder`.
    pub(super) fn start(folder: &Path) -> Self {
        Self::begin(folder, false)
    }

    /// One that takes the certificate of a server of this machine, whose authority was made a moment ago
    /// and is in no browser's list.
    pub(super) fn start_trusting(folder: &Path) -> Self {
        Self::begin(folder, true)
    }

    fn begin(folder: &Path, trusts: bool) -> Self {
        let driver = Driver::shared();
        let profile = folder.join("chromium");
        let mut flags: Vec<_> = FLAGS.map(str::to_owned).into();
        flags.push(format!("--user-data-dir={}", text(&profile)));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "acceptInsecureCerts": trusts,
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } });
        let begun = driver.call("POST", "/session", &wanted);
        let session = format!("/session/{}", begun["sessionId"].as_str().unwrap());
        let window = Self { driver, session };
        window.size(1280, 900);
        window
    }

    /// Opens an address and waits until the page is loaded.
    #[track_caller]
    pub(super) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub(super) fn url(&self) -> String {
        let url = self
            .driver
            .call("GET", &format!("{}/url", self.session), &Value::Null);
        url.as_str().unwrap().to_owned()
    }

    /// The words of the page, as they are seen.
    #[track_caller]
    pub(super) fn words(&self) -> String {
        let words = self.script("return document.body.innerText", &json!([]));
        words.as_str().unwrap_or_default().to_owned()
    }

    /// The page does not say this.
    #[track_caller]
    pub(super) fn lacks(&self, words: &str) {
        let page = self.words();
        assert!(
            !page.contains(words),
            "{} says `{words}`: {page}",
            self.url()
        );
    }

    /// Waits until the page says this.
    #[track_caller]
    pub(super) fn says(&self, words: &str) {
        let mut last = String::new();
        let give_up = Instant::now() + WAIT;
        loop {
            if let Ok(Value::String(page)) =
                self.try_script("return document.body?.innerText", &json!([]))
            {
                if page.contains(words) {
                    return;
                }
                last = page;
            }
            assert!(
                Instant::now() < give_up,
                "{} does not say `{words}`: {last}",
                self.url()
            );
            std::thread::park_timeout(LOOK_AGAIN);
        }
    }

    /// Presses the button, or follows the link, of that name.
    #[track_caller]
    pub(super) fn press(&self, name: &str) {
        self.click_found("button", name);
    }

    /// Clicks what a selector finds.
    #[track_caller]
    pub(super) fn click_on(&self, css: &str) {
        self.click_found("css", css);
    }

    /// Types into the field with that label, in place of what is there.
    #[track_caller]
    pub(super) fn fill(&self, label: &str, typed: &str) {
        self.on_found("control", label, |field| {
            let path = format!("{}/element/{field}", self.session);
            let call = |what: &str, body: &Value| {
                self.driver
                    .try_call("POST", &format!("{path}/{what}"), body)
            };
            call("clear", &Value::Null)?;
            call("value", &json!({ "text": typed }))
        });
    }

    /// The same with the keyboard alone, for a field that acts on each change: it is never empty meanwhile.
    #[track_caller]
    pub(super) fn retype(&self, label: &str, typed: &str) {
        let typed = format!("{CONTROL}a{RELEASE}{typed}");
        self.on_found("control", label, |field| {
            let path = format!("{}/element/{field}/value", self.session);
            self.driver
                .try_call("POST", &path, &json!({ "text": typed }))
        });
    }

    /// Chooses the last of the options in the list with that label.
    #[track_caller]
    pub(super) fn choose_last(&self, label: &str) {
        let find = "return [...arguments[0].options].at(-1)";
        self.choose_found(label, find, "");
    }

    /// Chooses the option whose words hold these in the list with that label.
    #[track_caller]
    pub(super) fn choose(&self, label: &str, words: &str) {
        let find = "const [list, words] = arguments;
            return [...list.options].find((option) => option.textContent.includes(words)) ?? null";
        self.choose_found(label, find, words);
    }

    #[track_caller]
    fn choose_found(&self, label: &str, find: &str, words: &str) {
        self.on_found("control", label, |list| {
            let option = self.try_script(find, &json!([{ ELEMENT: list }, words]))?;
            let option = option[ELEMENT].as_str();
            let option = option.unwrap_or_else(|| panic!("no `{words}` in the list `{label}`"));
            let path = format!("{}/element/{option}/click", self.session);
            self.driver.try_call("POST", &path, &Value::Null)
        });
    }

    /// What is in the field with that label.
    #[track_caller]
    pub(super) fn value(&self, label: &str) -> String {
        let field = json!({ ELEMENT: self.found("control", label) });
        let value = self.script("return arguments[0].value", &json!([field]));
        value.as_str().unwrap().to_owned()
    }

    /// Goes back to the page before.
    #[track_caller]
    pub(super) fn back(&self) {
        self.post("/back", &Value::Null);
    }

    /// Waits for what a selector finds.
    #[track_caller]
    pub(super) fn finds(&self, css: &str) {
        self.found("css", css);
    }

    /// What the next stroke on the keyboard goes to, by its label or its words.
    #[track_caller]
    pub(super) fn focus(&self) -> String {
        let focus = r"
            const element = document.activeElement;
            const label = element.labels?.[0] ?? element;
            return element.getAttribute('aria-label') ?? label.textContent.replace(/\s+/g, ' ').trim()";
        let focus = self.script(focus, &json!([]));
        focus.as_str().unwrap_or_default().to_owned()
    }

    /// The text, or the value, of what a selector finds.
    #[track_caller]
    pub(super) fn read(&self, css: &str) -> String {
        let element = json!({ ELEMENT: self.found("css", css) });
        let read = "const [element] = arguments;
            return ('value' in element ? element.value : element.textContent).trim()";
        let read = self.script(read, &json!([element]));
        read.as_str().unwrap().to_owned()
    }

    /// An attribute of what a selector finds.
    #[track_caller]
    pub(super) fn attribute(&self, css: &str, name: &str) -> String {
        let element = self.found("css", css);
        let path = format!("{}/element/{element}/attribute/{name}", self.session);
        let value = self.driver.call("GET", &path, &Value::Null);
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Lets pages of this origin use the clipboard, and tests read it.
    pub(super) fn allow_clipboard(&self, origin: &str) {
        let permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"];
        let wanted = json!({ "origin": origin, "permissions": permissions });
        self.devtools("Browser.grantPermissions", &wanted);
    }

    /// What was copied last.
    #[track_caller]
    pub(super) fn clipboard(&self) -> String {
        let read = "navigator.clipboard.readText().then(arguments[0], (error) => arguments[0](`${error}`))";
        let text = self.wait_for_script(read, &json!([]));
        text.as_str().unwrap().to_owned()
    }

    /// Whether the page has what a selector finds, at this moment and to be seen.
    pub(super) fn shows(&self, css: &str) -> bool {
        !self.script(FIND, &json!(["css", css])).is_null()
    }

    /// Types on the keyboard, wherever the focus is.
    #[track_caller]
    pub(super) fn keys(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            let stroke = |kind: &str| json!({ "type": kind, "value": key });
            [stroke("keyDown"), stroke("keyUp")]
        });
        let strokes: Vec<_> = strokes.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// What a script returns that the driver runs. The page's content policy does not concern it.
    #[track_caller]
    pub(super) fn script(&self, script: &str, arguments: &Value) -> Value {
        self.try_script(script, arguments)
            .unwrap_or_else(|error| panic!("{}: {error}", self.url()))
    }

    /// The same for one that waits: it must call its last argument with what it returns.
    #[track_caller]
    pub(super) fn wait_for_script(&self, script: &str, arguments: &Value) -> Value {
        self.post(
            "/execute/async",
            &json!({ "script": script, "args": arguments }),
        )
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    /// The same for one that may fail.
    pub(super) fn try_devtools(&self, command: &str, parameters: &Value) -> Result<Value, Value> {
        let path = format!("{}/goog/cdp/execute", self.session);
        let call = json!({ "cmd": command, "params": parameters });
        self.driver.try_call("POST", &path, &call)
    }

    /// What came into one of the browser's logs since the last time.
    pub(super) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        entries.as_array().cloned().unwrap_or_default()
    }

    /// Makes the window show as many pixels of a page.
    pub(super) fn size(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Switches the page's scripts off, from the next page on.
    pub(super) fn without_scripts(&self) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            &json!({ "value": true }),
        );
    }

    /// Clicks what is found.
    #[track_caller]
    fn click_found(&self, kind: &str, words: &str) {
        self.on_found(kind, words, |element| {
            let path = format!("{}/element/{element}/click", self.session);
            self.driver.try_call("POST", &path, &Value::Null)
        });
    }

    /// Does something with what is found. A page that draws itself may have put another in its place
    /// meanwhile; then it is done with that one.
    #[track_caller]
    fn on_found(&self, kind: &str, words: &str, act: impl Fn(&str) -> Result<Value, Value>) {
        let give_up = Instant::now() + WAIT;
        loop {
            match act(&self.found(kind, words)) {
                Ok(_) => return,
                // It was drawn anew between being found and being used.
                Err(error) if DRAWN_ANEW.contains(&error["error"].as_str().unwrap_or("")) => {}
                Err(error) => panic!("{}: {kind} `{words}`: {error}", self.url()),
            }
            assert!(Instant::now() < give_up, "`{words}` does not stay");
        }
    }

    /// Waits for the element; the driver's name of it.
    #[track_caller]
    fn found(&self, kind: &str, words: &str) -> String {
        let give_up = Instant::now() + WAIT;
        loop {
            // A page that is being replaced has no answer.
            if let Ok(found) = self.try_script(FIND, &json!([kind, words]))
                && let Some(element) = found[ELEMENT].as_str()
            {
                return element.to_owned();
            }
            assert!(
                Instant::now() < give_up,
                "no {kind} `{words}` on {}: {}",
                self.url(),
                self.words()
            );
            std::thread::park_timeout(LOOK_AGAIN);
        }
    }

    fn try_script(&self, script: &str, arguments: &Value) -> Result<Value, Value> {
        let path = format!("{}/execute/sync", self.session);
        let call = json!({ "script": script, "args": arguments });
        self.driver.try_call("POST", &path, &call)
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.driver.call("POST", &path, body)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // A browser that has crashed has nothing left to close.
        let _ = self.driver.try_call("DELETE", &self.session, &Value::Null);
    }
}
