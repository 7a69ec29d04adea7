//! `hallpass serve`: the composition root of the servers.

mod addresses;
mod admin_socket;
mod config;
mod connect_proxy;
mod data_directory;
mod documents;
mod explorer;
mod guards;
mod listening;
mod maintenance;
mod operations;
mod platform;
mod system;
mod tls;
mod trust;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::DataArgs;
use crate::command::{CommandError, Exit};
use crate::definition::Apis;
use crate::output;

pub(crate) use addresses::Addresses;
pub(crate) use admin_socket::ask;
pub(crate) use config::Config;
pub(crate) use data_directory::{DataDirectory, Lock};
pub(crate) use system::{System, open_store};

/// Run the servers: tokens, credentials, and the API in each region
///
/// The authorization server and the credential API listen on 127.0.0.1:8080, the resource APIs of
/// eu1, jp1 and us1 on the three ports behind it, the metrics on 127.0.0.1:9090. All but the metrics
/// are on 127.0.0.1:8443 as well, over TLS and under the names of the real system; the proxy on
/// 127.0.0.1:3128 leads programs there. SIGTERM and SIGINT let requests under way end.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Address of the authorization server; the instances take the ports behind it. HOST:0 moves
    /// every listener to a free port on HOST. TLS stays on loopback where its certificate is not good for HOST
    #[arg(long, value_name = "ADDR", env = "HALLPASS_LISTEN")]
    listen: Option<String>,
    /// OpenAPI definition to guard and stand in for, instead of the built-in one. Given several times,
    /// all of them are served side by side; `built-in` is the built-in one
    #[arg(long, value_name = "FILE")]
    api: Vec<PathBuf>,
    /// Issuer that tokens name [default: the URL of the authorization server]
    #[arg(long, value_name = "URL", env = "HALLPASS_ISSUER")]
    issuer: Option<String>,
    /// Number that the stand-in's first state is made from. What is there stays; `hallpass admin sandbox
    /// reset` begins anew
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many volumes the stand-in's first state has
    #[arg(long, value_name = "N")]
    volumes: Option<usize>,
    /// Write the addresses to FILE, as JSON, once everything is ready
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// Go on serving for SECONDS after the first SIGTERM or SIGINT, with /readyz answering 503, so
    /// that a load balancer can turn away first; a second signal ends that
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    shutdown_notice: u32,
    /// Print the configuration that results from file, environment and flags, and stop
    #[arg(long)]
    print_config: bool,
    /// Print how programs are told to trust the certificate and to come here for the names of the real
    /// system, and stop
    #[arg(long)]
    trust: bool,
}

impl ServeArgs {
    fn config(&self) -> Result<Config, CommandError> {
        let mut config = Config::load(&self.data)?;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(listen) = given(&self.listen) {
            config.listen(&listen)?;
        }
        if let Some(issuer) = given(&self.issuer) {
            config.tokens.issuer = Some(issuer);
        }
        if !self.api.is_empty() {
            config.api = Apis::of(&self.api);
        }
        if let Some(seed) = self.seed {
            config.sandbox.seed = seed;
        }
        if let Some(volumes) = self.volumes {
            config.sandbox.volumes = volumes;
        }
        config.check()?;
        Ok(config)
    }
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(args: ServeArgs) -> Result<(), CommandError> {
    let config = args.config()?;
    if args.print_config {
        return output::data(config.to_toml().trim_end());
    }
    if args.trust {
        return trust::tell(&config).await;
    }
    // Secrets that pass through the memory must not end up in a file when the process crashes.
    let _ = setrlimit(Resource::Core, NO_BYTES);
    // Before anybody can know of this server, and stop it.
    let mut signals = Signals::listen()?;
    let data = DataDirectory::create(&config.data)?;
    let lock = data.lock()?;
    let clock = std::sync::Arc::new(crate::serve::system_time);
    let system = System::start(&config, &data, lock, clock).await?;
    let ready = match &args.address_file {
        Some(file) => system.keep_addresses_in(file),
        None => Ok(()),
    };
    if ready.is_ok() {
        let several = system.has_several_workspaces();
        announce(&system.addresses(), &args.data.as_typed(), several);
        if let Some((url, email)) = system.start_link().await {
            invite(&url, email.as_deref());
        }
        signals.stop().await;
        system.announce_stop();
        let notice = Duration::from_secs(args.shutdown_notice.into());
        let _ = tokio::time::timeout(notice, signals.stop()).await;
        tracing::info!("stopping: requests under way may end");
    }
    system.stop().await;
    if let Some(file) = &args.address_file
        && ready.is_ok()
    {
        // The addresses are not true any more.
        let _ = std::fs::remove_file(file);
    }
    ready
}

const NO_BYTES: Rlimit = Rlimit {
    current: Some(0),
    maximum: Some(0),
};

/// The one place where the servers' clock is read.
#[expect(
    clippy::disallowed_methods,
    reason = "the composition root hands the clock down"
)]
pub(crate) fn system_time() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn announce(addresses: &Addresses, flags: &str, several_workspaces: bool) {
    output::words("hallpass is ready");
    for (name, value) in addresses.lines() {
        output::words(&format!("  {name:<22}{value}"));
    }
    let at = if several_workspaces {
        " --workspace NAME"
    } else {
        ""
    };
    output::words("Make a credential:");
    output::words(&format!(
        "  hallpass admin user create{flags}{at} --email YOU@EXAMPLE.COM --role administrator"
    ));
    output::words(&format!(
        "  hallpass admin credential create{flags}{at} --owner YOU@EXAMPLE.COM --instance us1 --name first"
    ));
    if addresses.tls.is_some() {
        output::words("Let programs that know only the real names come here:");
        output::words(&format!("  hallpass serve{flags} --trust"));
    }
}

/// Tells the one-time link where the addresses are told, and never through the log: whoever started the
/// server reads it there, and it is not repeated.
fn invite(url: &str, email: Option<&str>) {
    output::words(&match email {
        None => "Nobody administers this server yet. Open this link to become its administrator:"
            .to_owned(),
        Some(email) => {
            format!("No administrator has a password yet. {email} chooses one by this link:")
        }
    });
    output::words(&format!("  {url}"));
    output::words("  It is good once, for a day or until the next start.");
}

/// SIGTERM and SIGINT, which ask a server to stop. From the moment this exists they do not kill the
/// process any more.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let no_signals = |error: std::io::Error| {
            CommandError::caused(
                Exit::Refused,
                "the program cannot listen for signals",
                &error,
            )
        };
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(no_signals)?,
            interrupt: signal(SignalKind::interrupt()).map_err(no_signals)?,
        })
    }

    /// Waits for one that came since.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
