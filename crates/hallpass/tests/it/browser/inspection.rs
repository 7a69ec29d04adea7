//! What every page owes its readers, asked of the page that a window shows.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::window::Window;
use crate::foreign::scripts::Installed;

/// Widths of a desk's screen and of a phone's, in pixels.
const WIDTHS: [u32; 2] = [1280, 390];

/// What the reader's system may ask for.
const SCHEMES: [&str; 2] = ["light", "dark"];

/// A picture shows at least as much, and at most as much, of a page's height.
const HEIGHTS: (u32, u32) = (900, 6000);

/// Looks at pages and keeps what is wrong with them, so that a test tells everything at once.
pub(super) struct Inspection {
    axe: String,
    pictures: PathBuf,
    origin: String,
    wrong: Vec<String>,
}

impl Inspection {
    /// Of pages that come from `origin`. `None`, and a word, where axe-core is not installed.
    #[track_caller]
    pub(super) fn of(origin: &str) -> Option<Self> {
        let axe = Installed::find()?.package("axe-core/axe.min.js");
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&pictures).unwrap();
        Some(Self {
            axe: std::fs::read_to_string(axe).unwrap(),
            pictures,
            origin: origin.to_owned(),
            wrong: Vec::new(),
        })
    }

    /// Looks at the page that the window shows, wide and narrow, light and dark.
    pub(super) fn look(&mut self, window: &Window, name: &str) {
        for width in WIDTHS {
            window.size(width, HEIGHTS.0);
            for scheme in SCHEMES {
                let features = json!([
                    { "name": "prefers-color-scheme", "value": scheme },
                    // A colour on its way to another has no contrast to speak of.
                    { "name": "prefers-reduced-motion", "value": "reduce" },
                ]);
                window.devtools(
                    "Emulation.setEmulatedMedia",
                    &json!({ "features": features }),
                );
                let what = format!("{name}-{width}-{scheme}");
                if scheme == SCHEMES[0] {
                    self.fits(window, &what);
                }
                self.is_accessible(window, &what);
                self.picture(window, &what, width);
            }
        }
        window.size(WIDTHS[0], HEIGHTS.0);
        self.is_quiet(window, name);
    }

    /// Fails with whatever was wrong, and tells where the pictures are.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "whoever runs the test wants to look")]
    pub(super) fn end(self) {
        println!("pictures of all pages: {}", self.pictures.display());
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }

    /// A page that is wider than the screen has to be pushed around to be read.
    fn fits(&mut self, window: &Window, what: &str) {
        let measure = "const wide = document.documentElement.clientWidth;
            const over = [...document.querySelectorAll('main *')]
              .filter((element) => element.getBoundingClientRect().right > wide + 1)
              .map((element) => element.outerHTML.slice(0, 120));
            return document.scrollingElement.scrollWidth > wide ? over : null";
        let over = window.script(measure, &json!([]));
        if !over.is_null() {
            self.wrong
                .push(format!("{what}: wider than the screen: {over}"));
        }
    }

    fn is_accessible(&mut self, window: &Window, what: &str) {
        if window.script("return typeof axe", &json!([])) == "undefined" {
            window.script(&format!("{}; window.axe = axe;", self.axe), &json!([]));
        }
        let run = "const done = arguments[arguments.length - 1];
            axe.run().then((found) => done(found.violations.flatMap((rule) => rule.nodes.map(
              (node) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`))),
              (error) => done([String(error)]))";
        let found = window.wait_for_script(run, &json!([]));
        for violation in found.as_array().unwrap() {
            self.wrong.push(format!("{what}: {violation}"));
        }
    }

    fn picture(&self, window: &Window, what: &str, width: u32) {
        let height = window.script("return document.documentElement.scrollHeight", &json!([]));
        let height = u32::try_from(height.as_u64().unwrap()).unwrap();
        window.size(width, height.clamp(HEIGHTS.0, HEIGHTS.1));
        let taken = window.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(self.pictures.join(format!("{what}.png")), bytes).unwrap();
        window.size(width, HEIGHTS.0);
    }

    /// No error of a script, nothing refused by the content policy, no call to another host, since
    /// the last look. A page may well be answered with 404 or 422; what it is made of may not.
    fn is_quiet(&mut self, window: &Window, name: &str) {
        for entry in window.log("browser") {
            let text = entry["message"].as_str().unwrap();
            let told = entry["level"] == "SEVERE" || entry["level"] == "WARNING";
            let refused =
                text.contains("responded with a status of 4") && !text.contains("/assets/");
            if told && !refused {
                self.wrong.push(format!("{name}: the browser says: {text}"));
            }
        }
        for entry in window.log("performance") {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let url = event["params"]["request"]["url"].as_str().unwrap();
            // The browser begins with a page of its own, and axe-core draws a picture without a host.
            let own = [&self.origin, "chrome://", "data:"];
            if !own.iter().any(|own| url.starts_with(own)) {
                self.wrong.push(format!("{name}: a request to {url}"));
            }
        }
    }
}
