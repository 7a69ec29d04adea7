//! The certificate of the TLS listener, and the certificate authority that vouches for it.
//!
//! Here is how they are kept: certificate and key in one file, replaced by rename, so that they always
//! belong together. A certificate that ends soon, or that lacks a name, needs a new authority, since the
//! key of the old one is gone ([`issuing`](super::issuing)); programs must be told of that. So one that
//! is not valid yet is kept: then it is the clock that is wrong, as a rule.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use super::issuing::{Issued, issue, names};
use crate::command::{CommandError, Exit};
use crate::serve::DataDirectory;

/// A certificate that has less than that left is replaced when the server starts: more than a year, so
/// that a restart each year is enough.
const MARGIN: SignedDuration = SignedDuration::from_hours(400 * 24);

/// What the listener shows, and what vouches for it.
pub(crate) struct Certificate(Issued);

/// Why a certificate that was kept is not used any more.
#[derive(Debug, thiserror::Error)]
enum Objection {
    #[error("it ends within {} days", MARGIN.as_hours() / 24)]
    EndsSoon,
    #[error("its file is no certificate with an authority and a key")]
    Unreadable,
    #[error("it is not good for {name}: {error}")]
    Unsound { name: String, error: Error },
}

impl Certificate {
    /// The one that is kept in the data directory, or a new one where there is none that is still good.
    /// The authority's file beside it is the one that signed it, whatever happened before.
    pub(crate) fn of(data: &DataDirectory, now: Timestamp) -> Result<Self, CommandError> {
        let kept = Self::kept(data, now)?;
        let certificate = match kept {
            Some(Ok(certificate)) => {
                certificate.warn_if_it_is_early(data, now);
                certificate
            }
            none_or_objection => {
                let new = Self(issue(now).map_err(|error| unmade(&error))?);
                data.replace(&data.tls_file(), 0o600, new.to_pem().as_bytes())?;
                tell(data, none_or_objection.and_then(Result::err).as_ref());
                new
            }
        };
        let told = pem("CERTIFICATE", &certificate.0.authority);
        if std::fs::read(data.ca_file()).ok().as_deref() != Some(told.as_bytes()) {
            data.replace(&data.ca_file(), 0o644, told.as_bytes())?;
        }
        Ok(certificate)
    }

    /// When clients begin to refuse it.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        match self.check("localhost", Timestamp::MAX) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after, ..
            })) => timestamp(not_after),
            _ => None,
        }
    }

    /// When clients begin to take it.
    fn begins(&self) -> Option<Timestamp> {
        match self.check("localhost", Timestamp::UNIX_EPOCH) {
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before,
                ..
            })) => timestamp(not_before),
            _ => None,
        }
    }

    /// What the listener is told.
    pub(crate) fn server_config(self) -> Result<Arc<ServerConfig>, CommandError> {
        let failed = |error: Error| unmade(&error);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![self.0.leaf], self.0.key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn kept(
        data: &DataDirectory,
        now: Timestamp,
    ) -> Result<Option<Result<Self, Objection>>, CommandError> {
        let file = data.tls_file();
        let text = match std::fs::read(&file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(CommandError::usage(format!(
                    "the certificate {} cannot be read: {error}",
                    file.display()
                ))
                .hint("make it readable, or remove it: a new one is made then"));
            }
        };
        let Some(certificate) = Self::from_pem(&text) else {
            return Ok(Some(Err(Objection::Unreadable)));
        };
        Ok(Some(match certificate.objection(now) {
            None => Ok(certificate),
            Some(objection) => Err(objection),
        }))
    }

    fn warn_if_it_is_early(&self, data: &DataDirectory, now: Timestamp) {
        if let Some(begins) = self.begins().filter(|begins| *begins > now) {
            tracing::warn!(
                %begins,
                %now,
                "programs refuse the certificate, which is not valid yet: set the clock right; if it is, remove {} and restart",
                data.tls_file().display()
            );
        }
    }

    /// Looks at it as its clients do: for each name, as soon as it is valid, and at its end.
    fn objection(&self, now: Timestamp) -> Option<Objection> {
        let unsound = |name: &str, error| Objection::Unsound {
            name: name.to_owned(),
            error,
        };
        let valid = self.begins().map_or(now, |begins| begins.max(now));
        for name in names() {
            if let Err(error) = self.check(&name, valid) {
                return Some(unsound(&name, error));
            }
        }
        let soon = now.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
        if self.ends().is_none_or(|ends| ends <= soon) {
            return Some(Objection::EndsSoon);
        }
        let key = provider()
            .key_provider
            .load_private_key(self.0.key.clone_key());
        let matching = key.and_then(|key| {
            tokio_rustls::rustls::sign::CertifiedKey::new(vec![self.0.leaf.clone()], key)
                .keys_match()
        });
        matching.err().map(|error| unsound("its own key", error))
    }

    pub(super) fn check(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.authority.clone())?;
        let general = |error: &dyn std::error::Error| Error::General(error.to_string());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| general(&error))?;
        let name = ServerName::try_from(name).map_err(|error| general(&error))?;
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verifier.verify_server_cert(&self.0.leaf, &[], &name, &[], at)?;
        Ok(())
    }

    fn to_pem(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(pem("PRIVATE KEY", self.0.key.secret_der()));
        Zeroizing::new(format!(
            "{}{}{}",
            pem("CERTIFICATE", &self.0.leaf),
            pem("CERTIFICATE", &self.0.authority),
            *key
        ))
    }

    fn from_pem(text: &[u8]) -> Option<Self> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let [leaf, authority] =
            <[CertificateDer<'static>; 2]>::try_from(certificates.ok()?).ok()?;
        let key = PrivateKeyDer::from_pem_slice(text).ok()?;
        Some(Self(Issued {
            leaf,
            authority,
            key,
        }))
    }
}

fn timestamp(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}

/// RFC 7468 section 2.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    // Room for the whole: a buffer that grows leaves copies behind.
    text.reserve(body.len() + body.len() / 64 + 64);
    for at in (0..body.len()).step_by(64) {
        text.push_str(&body[at..body.len().min(at + 64)]);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn tell(data: &DataDirectory, objection: Option<&Objection>) {
    let file = data.ca_file();
    let file = file.display();
    match objection {
        None => tracing::debug!(%file, "a certificate authority was made"),
        Some(why) => tracing::warn!(
            %file,
            why = %why,
            "THE CERTIFICATE WAS REPLACED, AND SO WAS ITS AUTHORITY: programs and machines that trust a copy of the old one must be given the new one"
        ),
    }
}

fn unmade(error: &dyn std::error::Error) -> CommandError {
    CommandError::caused(
        Exit::Refused,
        "the certificate of the TLS listener was not made",
        error,
    )
    .hint("switch the listener off with `tls = \"off\"` under [listen] in hallpass.toml")
}

#[cfg(test)]
impl From<Issued> for Certificate {
    fn from(issued: Issued) -> Self {
        Self(issued)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::issuing::tests::after;
    use super::*;

    struct Place {
        _folder: tempfile::TempDir,
        data: DataDirectory,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(&folder.path().join("data")).unwrap();
        Place {
            _folder: folder,
            data,
        }
    }

    fn ca(place: &Place) -> Vec<u8> {
        std::fs::read(place.data.ca_file()).unwrap()
    }

    #[test]
    fn it_is_good_for_its_names_and_for_no_other() {
        let place = place();
        let certificate = Certificate::of(&place.data, after(0)).unwrap();
        for name in names() {
            certificate.check(&name, after(0)).unwrap();
        }
        for name in [
            "www.hpe.com",
            "example.com",
            "192.0.2.1",
            "x.us1.data.cloud.hpe.com",
        ] {
            assert!(certificate.check(name, after(0)).is_err(), "{name}");
        }
        assert!(certificate.check("localhost", after(-2)).is_err());
        assert!(certificate.check("localhost", after(799)).is_err());
        assert_eq!(certificate.begins(), Some(midnight(-1)));
        assert_eq!(certificate.ends(), Some(midnight(799)));
        certificate.server_config().unwrap();
    }

    fn midnight(days: i64) -> Timestamp {
        after(days) - SignedDuration::from_hours(12)
    }

    #[test]
    fn it_is_kept_until_it_ends_soon_and_then_the_authority_is_new() {
        let place = place();
        Certificate::of(&place.data, after(0)).unwrap();
        let first = ca(&place);
        let kept = Certificate::of(&place.data, after(398)).unwrap();
        assert_eq!(ca(&place), first);
        kept.check("localhost", after(398 + 366)).unwrap();
        Certificate::of(&place.data, after(399)).unwrap();
        assert_ne!(ca(&place), first);
    }

    #[test]
    fn a_clock_that_is_wrong_destroys_nothing_and_one_of_1970_makes_one_too() {
        let place = place();
        Certificate::of(&place.data, after(0)).unwrap();
        let first = ca(&place);
        for then in [Timestamp::UNIX_EPOCH, after(-2), after(0)] {
            Certificate::of(&place.data, then).unwrap();
            assert_eq!(ca(&place), first);
        }
        std::fs::remove_file(place.data.tls_file()).unwrap();
        let early = Certificate::of(&place.data, Timestamp::UNIX_EPOCH).unwrap();
        early.check("localhost", Timestamp::UNIX_EPOCH).unwrap();
        let early = ca(&place);
        Certificate::of(&place.data, after(0)).unwrap();
        assert_ne!(ca(&place), early);
    }

    #[test]
    fn a_certificate_of_another_authority_or_with_another_key_is_objected_to() {
        let (one, other) = (issue(after(0)).unwrap(), issue(after(0)).unwrap());
        let objection = |key: &Issued, authority: &Issued| {
            let mixed = Issued {
                leaf: one.leaf.clone(),
                authority: authority.authority.clone(),
                key: key.key.clone_key(),
            };
            Certificate(mixed).objection(after(0))
        };
        assert!(objection(&one, &one).is_none());
        for (key, authority) in [(&other, &one), (&one, &other)] {
            let objection = objection(key, authority);
            assert!(matches!(objection, Some(Objection::Unsound { .. })));
        }
    }

    #[test]
    fn the_key_is_private_the_authority_is_not_and_what_is_lost_comes_back() {
        let place = place();
        Certificate::of(&place.data, after(0)).unwrap();
        let mode = |path: std::path::PathBuf| {
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode(place.data.tls_file()), 0o600);
        assert_eq!(mode(place.data.ca_file()), 0o644);
        let first = ca(&place);
        assert!(
            !String::from_utf8(first.clone())
                .unwrap()
                .contains("PRIVATE")
        );
        std::fs::write(place.data.ca_file(), "half").unwrap();
        Certificate::of(&place.data, after(1)).unwrap();
        assert_eq!(ca(&place), first);
        std::fs::write(place.data.tls_file(), "half").unwrap();
        Certificate::of(&place.data, after(1)).unwrap();
        assert_ne!(ca(&place), first);
    }
}
