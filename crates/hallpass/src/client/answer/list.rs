//! `--all`: a list read to its end, written while it comes, so that no more than one page is held.
//!
//! A query of the whole list needs the whole list: that one is collected first.

use std::pin::pin;

use hallpass_client::send::Client;
use hallpass_openapi::BuiltRequest;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::value::RawValue;

use super::render::Renderer;
use super::{Answer, Failure, query, warn};
use crate::command::{CommandError, Exit};

/// Reads the list and renders it.
pub(super) async fn read(
    client: &Client,
    request: BuiltRequest,
    answer: &Answer<'_>,
    renderer: &mut Renderer,
) -> Result<(), Failure> {
    let mut pages = client.pages(request)?;
    let mut sink = Sink::new(answer, renderer);
    let bar = bar(sink.renderer.is_looked_at());
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut came = 0_u64;
    loop {
        let page = tokio::select! {
            page = pages.next() => page.map_err(CommandError::from),
            _ = &mut interrupted => Err(CommandError::new(Exit::Interrupted, "interrupted")),
        };
        match page {
            Ok(Some(page)) => {
                came += page.items.len() as u64;
                if let Some(total) = page.total {
                    bar.set_length(total);
                }
                bar.set_position(came);
                sink.take(page.items)?;
            }
            Ok(None) => break,
            Err(error) => {
                bar.finish_and_clear();
                if came > 0 {
                    sink.end(false)?;
                }
                return Err(after(error, came).into());
            }
        }
    }
    bar.finish_and_clear();
    if let Some(doubt) = pages.doubt() {
        warn(&doubt.to_string());
    }
    sink.end(true)
}

/// The error, and how much came before it.
fn after(error: CommandError, came: u64) -> CommandError {
    match came {
        0 => error,
        1 => error.saying_more("1 item came before"),
        _ => error.saying_more(&format!("{came} items came before")),
    }
}

/// What takes the items.
struct Sink<'a> {
    answer: &'a Answer<'a>,
    renderer: &'a mut Renderer,
    /// For a query of the whole list.
    collected: Vec<Box<RawValue>>,
}

impl<'a> Sink<'a> {
    fn new(answer: &'a Answer<'a>, renderer: &'a mut Renderer) -> Self {
        Self {
            answer,
            renderer,
            collected: Vec::new(),
        }
    }

    fn take(&mut self, items: Vec<Box<RawValue>>) -> Result<(), Failure> {
        match self.answer.query {
            None => self.renderer.items(&items),
            Some(query) if self.answer.each => {
                for item in items {
                    query.run(&query::read(item.get())?, |found| {
                        self.renderer.value(found)
                    })?;
                }
                self.renderer.end_values()
            }
            Some(_) => {
                self.collected.extend(items);
                Ok(())
            }
        }
    }

    /// The list is over. Of one that is not whole a query would say something untrue.
    fn end(&mut self, whole: bool) -> Result<(), Failure> {
        match self.answer.query {
            None => self.renderer.end_list(whole),
            Some(query) if !self.answer.each && whole => {
                let items: Vec<&str> = self.collected.iter().map(|item| item.get()).collect();
                let list = format!(
                    "{{\"items\":[{}],\"total\":{}}}",
                    items.join(","),
                    items.len()
                );
                self.collected.clear();
                query.run(&query::read(&list)?, |found| self.renderer.value(found))?;
                self.renderer.end_values()
            }
            Some(_) => self.renderer.flush(),
        }
    }
}

/// A bar on stderr, unless the items themselves go to the terminal; draws nothing when stderr is no
/// terminal.
fn bar(is_looked_at: bool) -> ProgressBar {
    if is_looked_at {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("    {wide_bar} {pos} of {len} items") {
        bar.set_style(style);
    }
    bar
}
