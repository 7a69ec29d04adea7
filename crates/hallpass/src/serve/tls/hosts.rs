//! The names of the real system that the stand-in answers under (domain facts, sections 5 and 8.4):
//! one list for the certificate, for what is served by name, and for what the proxy lets in.

use std::net::IpAddr;

/// A name of the real system.
#[derive(Debug)]
pub(crate) struct Host {
    /// The host name, in lower case.
    pub(crate) name: &'static str,
    /// What answers there.
    pub(crate) role: Role,
}

/// What answers under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Authorization server, console and credential API.
    Platform,
    /// The console's pages and the API's definition.
    Console,
    /// The resource API of the instance with this short name.
    Instance(&'static str),
    /// A region that the stand-in has no instance of.
    Absent,
}

/// The issuer of the real system's tokens, and where its classic token endpoint is.
pub(crate) const ISSUER: &str = "https://sso.common.cloud.hpe.com";

/// Where the real system's services are that belong to no region.
pub(crate) const GLOBAL: &str = "https://global.api.greenlake.hpe.com";

/// All of them.
pub(crate) const HOSTS: [Host; 13] = [
    host("sso.common.cloud.hpe.com", Role::Platform),
    host("global.api.greenlake.hpe.com", Role::Platform),
    host("common.cloud.hpe.com", Role::Console),
    host("console-us1.data.cloud.hpe.com", Role::Console),
    host("console-eu1.data.cloud.hpe.com", Role::Console),
    host("console-jp1.data.cloud.hpe.com", Role::Console),
    host("us1.data.cloud.hpe.com", Role::Instance("us1")),
    host("eu1.data.cloud.hpe.com", Role::Instance("eu1")),
    host("jp1.data.cloud.hpe.com", Role::Instance("jp1")),
    host("us-west.api.greenlake.hpe.com", Role::Instance("us1")),
    host("eu-central.api.greenlake.hpe.com", Role::Instance("eu1")),
    host("ap-northeast.api.greenlake.hpe.com", Role::Instance("jp1")),
    host("eu-west.api.greenlake.hpe.com", Role::Absent),
];

/// This machine's own names, which the certificate is good for too.
pub(crate) const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const fn host(name: &'static str, role: Role) -> Host {
    Host { name, role }
}

/// The host of this name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Host> {
    let name = relative(name);
    HOSTS
        .iter()
        .find(|host| host.name.eq_ignore_ascii_case(name))
}

/// A name without the dot that says that it is whole: the same host (RFC 3986 section 3.2.2).
pub(crate) fn relative(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some(relative) if !relative.is_empty() => relative,
        _ => name,
    }
}

/// Whether this is a name of this machine, as an URL or an address has it. Another address of loopback
/// is none, since the certificate is not good for it.
pub(crate) fn is_local(name: &str) -> bool {
    let name = relative(name).trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>();
    LOCAL.iter().any(|local| match &address {
        Ok(address) => local.parse() == Ok(*address),
        Err(_) => local.eq_ignore_ascii_case(name),
    })
}

/// Where the instance of this short name is in the real system, by its older name.
pub(crate) fn base_url_of(instance: &str) -> Option<String> {
    let is_it = |host: &&Host| matches!(host.role, Role::Instance(name) if name == instance);
    let host = HOSTS.iter().find(is_it)?;
    Some(format!("https://{}", host.name))
}

#[cfg(test)]
mod tests {
    use hallpass_client::region::Region;

    use super::*;

    #[test]
    fn every_region_that_the_client_knows_is_a_host() {
        for region in Region::all() {
            let name = region.base_url().strip_prefix("https://").unwrap();
            let role = find(name).unwrap().role;
            match region.name() {
                "global" => assert_eq!(role, Role::Platform),
                "eu-west" => assert_eq!(role, Role::Absent),
                _ => assert!(matches!(role, Role::Instance(_)), "{name}"),
            }
            let token_url = region.token_url();
            assert!(
                token_url.starts_with(ISSUER) && GLOBAL.ends_with("global.api.greenlake.hpe.com")
            );
        }
    }

    #[test]
    fn this_machine_has_the_names_of_the_certificate() {
        for own in [
            "localhost",
            "LocalHost",
            "127.0.0.1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "localhost.",
        ] {
            assert!(is_local(own), "{own}");
        }
        for other in [
            "127.0.0.2",
            "[::2]",
            "0.0.0.0",
            "localhost.example.com",
            "",
            ".",
            "localhost..",
        ] {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn the_two_names_of_a_region_are_one_instance() {
        for (old, new) in [
            ("us1.data.cloud.hpe.com", "us-west.api.greenlake.hpe.com"),
            ("eu1.data.cloud.hpe.com", "eu-central.api.greenlake.hpe.com"),
            (
                "jp1.data.cloud.hpe.com",
                "AP-Northeast.api.greenlake.hpe.com",
            ),
        ] {
            assert_eq!(find(old).unwrap().role, find(new).unwrap().role);
        }
        assert!(find("hpe.com").is_none() && find("x.us1.data.cloud.hpe.com").is_none());
    }
}
