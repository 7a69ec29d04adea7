//! Where everything is: printed, written to the address file, and part of administrative answers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hallpass_store::ApplicationInstance;
use serde::{Deserialize, Serialize};

use crate::command::CommandError;
use crate::serve::config::Socket;
use crate::serve::{Config, DataDirectory};

/// The address file (design, section 3.1). Members whose part is switched off are null.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Addresses {
    pub(crate) authorization_server: String,
    pub(crate) token_url: String,
    pub(crate) console: String,
    pub(crate) instances: BTreeMap<String, String>,
    pub(crate) tls: Option<String>,
    pub(crate) proxy: Option<String>,
    pub(crate) metrics: String,
    pub(crate) ca_file: Option<String>,
}

impl Addresses {
    /// The addresses as configured, which are the real ones unless a port is 0.
    pub(crate) fn configured(config: &Config) -> Self {
        let public = |url: Option<&String>, address: &SocketAddr| match url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{address}"),
        };
        let base = public(
            config.public.authorization_server.as_ref(),
            &config.listen.authorization_server,
        );
        let mut instances: BTreeMap<String, String> = config
            .listen
            .instances
            .iter()
            .map(|(name, address)| {
                (
                    name.clone(),
                    public(config.public.instances.get(name), address),
                )
            })
            .collect();
        instances.insert("global".to_owned(), base.clone());
        Self {
            token_url: format!("{base}{}", hallpass_authorization_server::TOKEN_PATH),
            console: format!("{base}/"),
            authorization_server: base,
            instances,
            tls: at("https", config.listen.tls),
            proxy: at("http", config.listen.proxy()),
            metrics: format!("http://{}/metrics", config.listen.metrics),
            ca_file: ca_file(config),
        }
    }

    /// The same with the instances that the configuration does not know, and under the URLs that were
    /// given to them.
    pub(crate) fn knowing(&self, instances: &[Arc<ApplicationInstance>]) -> Self {
        let mut all = self.clone();
        for instance in instances {
            if let Some(url) = self.of_instance(instance) {
                all.instances.insert(instance.name.clone(), url);
            }
        }
        all
    }

    /// The base URL of an instance: the one that was given to it, or that of its listener.
    pub(crate) fn of_instance(&self, instance: &ApplicationInstance) -> Option<String> {
        let given = instance.base_url.as_ref().map(ToString::to_string);
        given
            .or_else(|| self.instances.get(&instance.name).cloned())
            .or_else(|| Some(format!("http://{}", instance.listen?)))
    }

    /// The URL of the TLS listener under this machine's own name.
    pub(crate) fn local_tls(&self) -> Option<String> {
        let (_, port) = self.tls.as_deref()?.rsplit_once(':')?;
        Some(match port {
            // As every client spells it.
            "443" => "https://localhost".to_owned(),
            port => format!("https://localhost:{port}"),
        })
    }

    /// Name and value, for people.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let mut lines = vec![
            ("token URL".to_owned(), self.token_url.clone()),
            ("console".to_owned(), self.console.clone()),
        ];
        let instances = self.instances.iter().filter(|(name, _)| *name != "global");
        lines.extend(instances.map(|(name, url)| (format!("API of {name}"), url.clone())));
        let global = self.instances.get("global").cloned().unwrap_or_default();
        lines.push((
            "credential API".to_owned(),
            format!("{global}/workspaces/v1/credentials"),
        ));
        lines.push(("metrics".to_owned(), self.metrics.clone()));
        let by_name = [
            ("TLS, by host name", &self.tls),
            ("proxy to that", &self.proxy),
            ("CA of that", &self.ca_file),
        ];
        let by_name = by_name
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        lines.extend(by_name);
        lines
    }

    /// Writes the address file by rename, so that a reader finds it whole or not at all.
    pub(crate) fn write(&self, file: &Path) -> Result<(), CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::usage(format!(
                "the address file {} cannot be written: {error}",
                file.display()
            ))
        };
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        writeln!(draft, "{text}").map_err(failed)?;
        draft.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// A listener that takes every address is reached under this machine's own name.
fn at(scheme: &str, socket: Socket) -> Option<String> {
    let address = socket.address()?;
    Some(if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    })
}

fn ca_file(config: &Config) -> Option<String> {
    config.listen.tls.address()?;
    let file = DataDirectory::ca_file_in(&config.data);
    let file = std::path::absolute(&file).unwrap_or(file);
    Some(file.display().to_string())
}
