//! `hallpass explorer`: the web explorer for the one person at this machine, with their profiles, their
//! key store and the tokens that all their programs share.
//!
//! Who may come in is decided by the [`entrance`]; workspaces are in the files of the [`drawer`], their
//! secrets in the [`secrets`]; what may be reached is said by the [`machine`]. All that the pages do is in
//! the crate `explorer`.

mod browser;
mod drawer;
mod entrance;
mod files;
mod machine;
mod secrets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hallpass_explorer::{Common, Explorer};
use hallpass_oauth::random::SystemRandom;

use super::loopback;
use crate::command::CommandError;
use crate::output;
use crate::serve::{Signals, system_time};
use drawer::Files;
use entrance::{Door, Entrance};
use machine::Machine;

/// Explore an API in the browser: fill in forms, send requests, read the answers
///
/// Prints an address of this machine that lets one browser in, once. Profiles, secrets and tokens are
/// those of the command line; nothing is sent anywhere but to the API and its token endpoint. It runs
/// until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct ExplorerArgs {
    /// Open it in the browser
    #[arg(long)]
    open: bool,
    /// Where to listen: an address of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Folder of workspaces, such as one under version control: without secrets and history
    /// [default: hallpass-client/workspaces in $XDG_DATA_HOME, else in ~/.local/share]
    #[arg(long, value_name = "DIR")]
    workspaces: Option<PathBuf>,
}

/// Runs the command until it is told to stop.
pub(crate) async fn run(args: ExplorerArgs) -> Result<(), CommandError> {
    let drawer = Arc::new(Files::open(args.workspaces.as_deref())?);
    let harm = "it would show your workspaces to the network";
    let (socket, address) = loopback::bind(args.listen, "the explorer", harm).await?;
    let signals = Signals::listen()?;
    let explorer = Explorer::new(
        &Common::new(drawer.state().with_extension("answers")),
        Arc::new(Door::new(drawer.clone())),
        Arc::new(Machine),
        Arc::new(system_time),
    );
    let router = explorer.router().merge(hallpass_pages::assets());
    let entrance = Arc::new(Entrance::new(address, router, &mut SystemRandom));
    announce(&drawer, &entrance)?;
    if args.open {
        browser::open(&entrance);
    }
    let let_in = entrance.clone();
    let answer = move |request, _peer| {
        let entrance = let_in.clone();
        async move { entrance.answer(request).await }
    };
    loopback::serve(socket, "explorer", signals, answer).await;
    entrance.close();
    Ok(())
}

fn announce(drawer: &Files, entrance: &Entrance) -> Result<(), CommandError> {
    output::words(&format!(
        "Workspaces are in {}. The address below lets one browser in, once. Ctrl-C ends the explorer.",
        drawer.folder().display()
    ));
    output::data(&entrance.invitation())
}
