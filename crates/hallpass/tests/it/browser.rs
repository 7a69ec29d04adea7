//! The pages in a real browser: Debian's chromium, driven through its chromedriver, against the real
//! `hallpass serve`.
//!
//! What every page owes its readers is asked of every page: axe-core finds nothing, nothing is wider
//! than the screen of a phone, nothing is refused by the content policy and nothing comes from another
//! host. Pictures of all of them lie in the folder `screenshots` of the target folder.
//!
//! Without chromium, chromedriver or axe-core the tests say that they skip; with
//! `HALLPASS_FOREIGN=required`, as in `scripts/test`, they fail.

mod comfort;
mod driver;
mod explorer;
mod forms;
mod gallery;
mod inspection;
mod keyboard;
mod pages;
mod stage;
mod story;
mod totp;
mod window;
mod without_scripts;

use std::process::{Command, Stdio};

use crate::foreign::skip;

/// Whether there is a browser to drive, of the packages that `scripts/test` installs.
#[track_caller]
fn is_installed() -> bool {
    let missing = ["chromium", "chromedriver"].into_iter().find(|program| {
        let mut command = Command::new(program);
        let command = command.arg("--version").stdin(Stdio::null());
        !command.output().is_ok_and(|output| output.status.success())
    });
    if let Some(program) = missing {
        skip(&format!("there is no {program}"));
    }
    missing.is_none()
}
