//! The certificate of the TLS listener, and the certificate authority that vouches for it.
//!
//! Whoever trusts an authority believes whatever it signs. So this one can sign only the names of the
//! stand-in (critical name constraints, RFC 5280 section 4.2.1.10), and its key is thrown away once it
//! has signed one certificate: there is nothing to steal that could sign another. A certificate that
//! ends soon, or that lacks a name, therefore needs a new authority, which programs must be told of.
//!
//! Certificate and key are one file, replaced by rename, so that they always belong together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    SanType,
};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use super::hosts::HOSTS;
use crate::command::{CommandError, Exit};
use crate::serve::DataDirectory;

/// How long a certificate is good, in days from the day before it is made. Browsers and Apple's
/// clients refuse more than 398.
const DAYS: i64 = 397;

/// A certificate that has less than that left is replaced when the server starts.
const MARGIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the listener shows, and what vouches for it.
pub(crate) struct Certificate {
    leaf: CertificateDer<'static>,
    authority: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// Why a certificate that was kept is not used any more.
#[derive(Debug, thiserror::Error)]
enum Objection {
    #[error("it ends within {} days", MARGIN.as_hours() / 24)]
    EndsSoon,
    #[error("its file is no certificate with an authority and a key")]
    Unreadable,
    #[error("it is not good for {name}: {error}")]
    Unsound {
        name: String,
        error: tokio_rustls::rustls::Error,
    },
}

impl Certificate {
    /// The one that is kept in the data directory, or a new one where there is none that is still good.
    /// The authority's file beside it is the one that signed it, whatever happened before.
    pub(crate) fn of(data: &DataDirectory, now: Timestamp) -> Result<Self, CommandError> {
        let kept = Self::kept(data, now)?;
        let certificate = match kept {
            Some(Ok(certificate)) => certificate,
            none_or_objection => {
                let new = Self::make(now).map_err(|error| unmade(&error))?;
                data.replace(&data.tls_file(), 0o600, new.to_pem().as_bytes())?;
                tell(data, none_or_objection.and_then(Result::err).as_ref());
                new
            }
        };
        let told = pem("CERTIFICATE", &certificate.authority);
        if std::fs::read(data.ca_file()).ok().as_deref() != Some(told.as_bytes()) {
            data.replace(&data.ca_file(), 0o644, told.as_bytes())?;
        }
        Ok(certificate)
    }

    /// What the listener is told.
    pub(crate) fn server_config(self) -> Result<Arc<ServerConfig>, CommandError> {
        let failed = |error: tokio_rustls::rustls::Error| unmade(&error);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![self.leaf], self.key)
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

    /// Looks at it as its clients do: for each name, now and a while from now.
    fn objection(&self, now: Timestamp) -> Option<Objection> {
        let unsound = |name: &str, error| Objection::Unsound {
            name: name.to_owned(),
            error,
        };
        for name in names() {
            if let Err(error) = self.check(&name, now) {
                return Some(unsound(&name, error));
            }
        }
        let soon = now.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
        if self.check("localhost", soon).is_err() {
            return Some(Objection::EndsSoon);
        }
        let key = provider()
            .key_provider
            .load_private_key(self.key.clone_key());
        let matching = key.and_then(|key| {
            tokio_rustls::rustls::sign::CertifiedKey::new(vec![self.leaf.clone()], key).keys_match()
        });
        matching.err().map(|error| unsound("its own key", error))
    }

    fn check(&self, name: &str, at: Timestamp) -> Result<(), tokio_rustls::rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone())?;
        let general =
            |error: &dyn std::error::Error| tokio_rustls::rustls::Error::General(error.to_string());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| general(&error))?;
        let name = ServerName::try_from(name).map_err(|error| general(&error))?;
        let seconds = u64::try_from(at.as_second()).unwrap_or_default();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verifier.verify_server_cert(&self.leaf, &[], &name, &[], at)?;
        Ok(())
    }

    /// A new authority, and the one certificate that it signs.
    fn make(now: Timestamp) -> Result<Self, rcgen::Error> {
        let authority = CertifiedIssuer::self_signed(authority(now), KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let leaf = leaf(now)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        Ok(Self {
            leaf: leaf.der().clone(),
            authority: authority.der().clone(),
            key,
        })
    }

    fn to_pem(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(pem("PRIVATE KEY", self.key.secret_der()));
        Zeroizing::new(format!(
            "{}{}{}",
            pem("CERTIFICATE", &self.leaf),
            pem("CERTIFICATE", &self.authority),
            *key
        ))
    }

    fn from_pem(text: &[u8]) -> Option<Self> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let [leaf, authority] =
            <[CertificateDer<'static>; 2]>::try_from(certificates.ok()?).ok()?;
        let key = PrivateKeyDer::from_pem_slice(text).ok()?;
        Some(Self {
            leaf,
            authority,
            key,
        })
    }
}

/// The names that the certificate is for; those that are addresses as such.
fn names() -> impl Iterator<Item = String> {
    let hosts = HOSTS.iter().map(|host| host.name.to_owned());
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    hosts.chain(own)
}

fn authority(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // With the day, so that one in a list of trusted authorities can be told from the next.
    params.distinguished_name = called(&format!("Hallpass stand-in CA of {}", day(now)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let hosts = HOSTS.iter().map(|host| host.name);
    let hosts = hosts.chain(["localhost"]);
    let mut permitted: Vec<_> = hosts
        .map(|name| GeneralSubtree::DnsName(name.to_owned()))
        .collect();
    permitted.extend([
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            Ipv4Addr::new(127, 0, 0, 0).into(),
            8,
        )),
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(
            Ipv6Addr::LOCALHOST.into(),
            128,
        )),
    ]);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: Vec::new(),
    });
    last(&mut params, now);
    params
}

fn leaf(now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = called("Hallpass stand-in");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    for name in names() {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.try_into()?),
        });
    }
    last(&mut params, now);
    Ok(params)
}

/// From the day before, since clocks differ.
fn last(params: &mut CertificateParams, now: Timestamp) {
    let at = |days: i64| {
        let date = day(now)
            .checked_add(SignedDuration::from_hours(24 * days))
            .unwrap_or(jiff::civil::Date::MAX);
        let unsigned = |part: i8| part.unsigned_abs();
        rcgen::date_time_ymd(
            date.year().into(),
            unsigned(date.month()),
            unsigned(date.day()),
        )
    };
    params.not_before = at(-1);
    params.not_after = at(DAYS - 1);
}

fn day(now: Timestamp) -> jiff::civil::Date {
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// RFC 7468 section 2.
fn pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    // Room for the whole: a buffer that grows leaves copies behind.
    text.reserve(body.len() + body.len() / 64 + 64);
    for at in (0..body.len()).step_by(64) {
        text.push_str(&body[at..body.len().min(at + 64)]);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn tell(data: &DataDirectory, objection: Option<&Objection>) {
    let file = data.ca_file();
    let file = file.display();
    match objection {
        None => tracing::info!(%file, "a certificate authority was made"),
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
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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

    fn after(days: i64) -> Timestamp {
        let first: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        first + SignedDuration::from_hours(24 * days)
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
        assert!(certificate.check("localhost", after(396)).is_err());
        certificate.server_config().unwrap();
    }

    #[test]
    fn the_authority_can_vouch_for_no_other_name() {
        let authority =
            CertifiedIssuer::self_signed(authority(after(0)), KeyPair::generate().unwrap())
                .unwrap();
        let signed = |name: &str| {
            let mut params = leaf(after(0)).unwrap();
            params.subject_alt_names = vec![match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.try_into().unwrap()),
            }];
            let key = KeyPair::generate().unwrap();
            let leaf = params.signed_by(&key, &authority).unwrap();
            Certificate {
                leaf: leaf.der().clone(),
                authority: authority.der().clone(),
                key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            }
        };
        for name in ["us1.data.cloud.hpe.com", "127.9.9.9", "localhost"] {
            signed(name).check(name, after(0)).unwrap();
        }
        for name in ["www.hpe.com", "example.com", "192.0.2.1", "::2"] {
            let refused = signed(name).check(name, after(0)).unwrap_err().to_string();
            assert!(refused.contains("NameConstraint"), "{name}: {refused}");
        }
    }

    #[test]
    fn it_is_kept_until_it_ends_soon_and_then_the_authority_is_new() {
        let place = place();
        Certificate::of(&place.data, after(0)).unwrap();
        let first = ca(&place);
        Certificate::of(&place.data, after(365)).unwrap();
        assert_eq!(ca(&place), first);
        Certificate::of(&place.data, after(367)).unwrap();
        assert_ne!(ca(&place), first);
    }

    #[test]
    fn a_certificate_that_lacks_a_name_or_has_another_key_is_objected_to() {
        let (one, other) = (
            Certificate::make(after(0)).unwrap(),
            Certificate::make(after(0)).unwrap(),
        );
        assert!(one.objection(after(0)).is_none());
        let mixed = Certificate {
            key: other.key.clone_key(),
            ..one
        };
        assert!(matches!(
            mixed.objection(after(0)),
            Some(Objection::Unsound { .. })
        ));
        let foreign = Certificate {
            authority: other.authority.clone(),
            key: mixed.key.clone_key(),
            leaf: mixed.leaf,
        };
        assert!(matches!(
            foreign.objection(after(0)),
            Some(Objection::Unsound { .. })
        ));
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
