//! A certificate authority that signs one certificate.
//!
//! Whoever trusts an authority believes whatever it signs. So this one can sign for servers only, and only
//! the names of the stand-in and names below them (critical name constraints, RFC 5280 section 4.2.1.10:
//! a permitted host name permits what is under it); and its key is thrown away with the first signature:
//! there is nothing to steal that could sign another.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
    SanType,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::hosts::{HOSTS, LOCAL};

/// How long a certificate is good, in days from the day before it is made. Apple's clients refuse more
/// than 825 of an authority that somebody added.
const DAYS: i64 = 800;

/// A certificate, its key, and what vouches for it.
pub(super) struct Issued {
    pub(super) leaf: CertificateDer<'static>,
    pub(super) authority: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// A new authority, and the one certificate that it signs.
pub(super) fn issue(now: Timestamp) -> Result<Issued, rcgen::Error> {
    let authority = CertifiedIssuer::self_signed(authority(now), KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = leaf(now)?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    Ok(Issued {
        leaf: leaf.der().clone(),
        authority: authority.der().clone(),
        key,
    })
}

/// The names that the certificate is for; those that are addresses as such.
pub(super) fn names() -> impl Iterator<Item = String> {
    let hosts = HOSTS.iter().map(|host| host.name.to_owned());
    hosts.chain(LOCAL.map(str::to_owned))
}

fn authority(now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // With the day, so that one in a list of trusted authorities can be told from the next.
    params.distinguished_name = called(&format!("Hallpass stand-in CA of {}", day(now)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut permitted: Vec<_> = names().map(|name| subtree(&name)).collect();
    // A form without a constraint may have any name. That of directories cannot have one: rustls and
    // its kin refuse every certificate below it. URIs and the rest are for no server.
    permitted.push(GeneralSubtree::Rfc822Name("localhost".to_owned()));
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: permitted,
        excluded_subtrees: Vec::new(),
    });
    last(&mut params, now);
    params
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
        }
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
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
            .unwrap_or(jiff::civil::Date::MAX)
            // Verifiers know of no time before.
            .max(jiff::civil::date(1970, 1, 1));
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::certificate::{Certificate, pem};
    use super::*;

    /// A day so long after the first.
    pub(in super::super) fn after(days: i64) -> Timestamp {
        let first: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        first + SignedDuration::from_hours(24 * days)
    }

    const WITHIN: [&str; 4] = [
        "us1.data.cloud.hpe.com",
        "below.us1.data.cloud.hpe.com",
        "127.0.0.1",
        "localhost",
    ];
    const OUTSIDE: [&str; 5] = [
        "www.hpe.com",
        "example.com",
        "192.0.2.1",
        "127.0.0.2",
        "::2",
    ];
    const MAIL: &str = "ann@example.com";

    /// What somebody could make who had kept the authority's key.
    fn signed(authority: &CertifiedIssuer<'_, KeyPair>, name: &str, now: Timestamp) -> Issued {
        let mut params = leaf(now).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::EmailProtection,
        ];
        params.subject_alt_names = vec![match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) if name == MAIL => SanType::Rfc822Name(name.try_into().unwrap()),
            Err(_) => SanType::DnsName(name.try_into().unwrap()),
        }];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, authority).unwrap();
        Issued {
            leaf: leaf.der().clone(),
            authority: authority.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        }
    }

    fn new_authority(now: Timestamp) -> CertifiedIssuer<'static, KeyPair> {
        CertifiedIssuer::self_signed(authority(now), KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn the_authority_can_vouch_for_no_other_name() {
        let authority = new_authority(after(0));
        let check = |name: &str| {
            Certificate::from(signed(&authority, name, after(0))).check(name, after(0))
        };
        for name in WITHIN {
            check(name).unwrap();
        }
        for name in OUTSIDE {
            let refused = check(name).unwrap_err().to_string();
            assert!(refused.contains("NameConstraint"), "{name}: {refused}");
        }
    }

    /// The same by another implementation, where there is one.
    #[test]
    fn openssl_lets_the_authority_vouch_for_no_other_name_and_for_servers_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, der: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, pem("CERTIFICATE", der)).unwrap();
            path
        };
        // openssl goes by the clock.
        let now = crate::serve::system_time();
        let authority = new_authority(now);
        let trusted = file("ca.pem", authority.der());
        let verify = |name: &str, purpose: &str| {
            let leaf = file("leaf.pem", &signed(&authority, name, now).leaf);
            let mut verify = std::process::Command::new("openssl");
            verify.args(["verify", "-x509_strict", "-purpose", purpose]);
            verify.arg("-CAfile").args([&trusted, &leaf]);
            let said = verify.output().ok()?;
            let why = String::from_utf8_lossy(&said.stderr).into_owned();
            Some(if said.status.success() {
                Ok(())
            } else {
                Err(why)
            })
        };
        if verify(WITHIN[0], "any").is_none() {
            println!("skipped: there is no openssl");
            return;
        }
        for name in WITHIN {
            assert_eq!(verify(name, "sslserver"), Some(Ok(())), "{name}");
            for purpose in ["sslclient", "smimesign"] {
                let refused = verify(name, purpose).unwrap().unwrap_err();
                assert!(refused.contains("at 1 depth lookup"), "{refused}");
            }
        }
        for name in [&OUTSIDE[..], &[MAIL]].concat() {
            let refused = verify(name, "any").unwrap().unwrap_err();
            assert!(
                refused.contains("permitted subtree violation"),
                "{name}: {refused}"
            );
        }
    }
}
