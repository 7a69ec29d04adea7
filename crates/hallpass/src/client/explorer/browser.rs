//! Opening the explorer in the person's browser.
//!
//! The address holds the one-time token, and everybody on a machine can read the arguments of everybody's
//! processes. So the browser is given a file that only its owner may read, which leads to the address. It
//! is removed when the token is used.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempPath;

use super::entrance::Entrance;
use crate::output;

/// Opens the explorer; says so when that cannot be done.
pub(super) fn open(entrance: &Arc<Entrance>) {
    match leaflet(&entrance.invitation()) {
        Ok(file) => {
            let path = file.to_path_buf();
            entrance.keep(file);
            tokio::task::spawn_blocking(move || show(&path));
        }
        Err(error) => not_opened(&error),
    }
}

/// A page that leads to the address.
fn leaflet(address: &str) -> std::io::Result<TempPath> {
    let mut file = tempfile::Builder::new()
        .prefix("hallpass-explorer-")
        .suffix(".html")
        .tempfile_in(folder())?;
    write!(
        file,
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Hallpass</title>\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={address}\">\n\
         <p><a href=\"{address}\">Open the explorer</a></p>\n"
    )?;
    Ok(file.into_temp_path())
}

/// A folder of the person, if there is one that ends with their session.
fn folder() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_dir())
        .unwrap_or_else(std::env::temp_dir)
}

fn show(file: &Path) {
    let shown = Command::new(OPENER)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match shown {
        Ok(status) if status.success() => {}
        Ok(status) => not_opened(&format!("{OPENER} ended with {status}")),
        Err(error) => not_opened(&format!("{OPENER}: {error}")),
    }
}

fn not_opened(why: &dyn std::fmt::Display) {
    output::words(&format!(
        "warning: no browser was opened ({why}): open the address above yourself"
    ));
}

/// What opens a file in the program that a person chose for it.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};
