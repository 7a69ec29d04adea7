//! The file of profiles: kept whole, and without secrets.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::address::{BaseUrl, TokenUrl};
use crate::profile::Authentication;
use hallpass_oauth::ClientId;

fn profile(name: &str) -> Profile {
    Profile::new(
        ProfileName::parse(name).unwrap(),
        TokenUrl::parse("https://sso.example.com/as/token.oauth2").unwrap(),
        BaseUrl::parse("https://us1.example.com/").unwrap(),
        ClientId::parse("00cfff70-86ab-4f66-8245-1eb054639c38").unwrap(),
    )
}

fn add(directory: &Path, profile: Profile, existing: Existing) -> Result<(), ProfileError> {
    Profiles::update(directory, |profiles| profiles.add(profile, existing))
}

#[test]
fn what_is_written_is_read_back_and_only_the_owner_may_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let full = profile("eu1")
        .with_authentication(Authentication::BasicUnencoded)
        .with_scope(Some(" hpe-tenant "))
        .with_api(Some("/tmp/api.yaml".into()))
        .with_ca_file(Some("/tmp/ca.pem".into()));
    add(directory.path(), profile("us1"), Existing::Keep).unwrap();
    add(directory.path(), full.clone(), Existing::Keep).unwrap();

    let profiles = Profiles::load(directory.path()).unwrap();
    assert_eq!(
        profiles.iter().cloned().collect::<Vec<_>>(),
        [full, profile("us1")]
    );
    assert_eq!(
        profiles.select(None).unwrap(),
        &profile("us1"),
        "the first one is current"
    );
    let mode = fs::metadata(directory.path().join(FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_existing_profile_is_replaced_only_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let other = profile("us1").with_scope(Some("x"));
    add(directory.path(), profile("us1"), Existing::Keep).unwrap();
    let error = add(directory.path(), other.clone(), Existing::Keep).unwrap_err();
    assert!(matches!(error, ProfileError::Exists { .. }));
    assert_eq!(
        Profiles::load(directory.path())
            .unwrap()
            .select(None)
            .unwrap()
            .scope(),
        None
    );
    add(directory.path(), other.clone(), Existing::Replace).unwrap();
    assert_eq!(
        Profiles::load(directory.path())
            .unwrap()
            .select(None)
            .unwrap(),
        &other
    );
}

#[test]
fn a_name_that_differs_only_in_case_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    add(directory.path(), profile("prod"), Existing::Keep).unwrap();
    add(directory.path(), profile("other"), Existing::Keep).unwrap();
    for existing in [Existing::Keep, Existing::Replace] {
        let error = add(directory.path(), profile("Prod"), existing).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`Prod` differs from the profile `prod` only in letter case"
        );
        assert!(error.hint().unwrap().contains("another name"));
    }
    let mut profiles = Profiles::load(directory.path()).unwrap();
    assert!(profiles.rename("other", profile("PROD")).is_err());
    assert!(profiles.rename("prod", profile("PROD")).is_err());
    assert_eq!(profiles, Profiles::load(directory.path()).unwrap());

    // Two that are there already can be used, changed and told apart by hand.
    let file = directory.path().join(FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("profiles.other", "profiles.PROD")).unwrap();
    add(directory.path(), profile("PROD"), Existing::Replace).unwrap();
    let mut profiles = Profiles::load(directory.path()).unwrap();
    profiles.rename("PROD", profile("apart")).unwrap();
    assert!(profiles.select(Some("prod")).is_ok());
}

#[test]
fn using_and_removing_change_the_current_one() {
    let mut profiles = Profiles::default();
    assert!(matches!(
        profiles.select(None),
        Err(ProfileError::NoneChosen { .. })
    ));
    profiles.add(profile("us1"), Existing::Keep).unwrap();
    profiles.add(profile("eu1"), Existing::Keep).unwrap();
    profiles.use_profile("eu1").unwrap();
    assert_eq!(profiles.current().unwrap().as_str(), "eu1");
    let error = profiles.use_profile("jp1").unwrap_err().to_string();
    assert!(error.contains("eu1, us1"), "{error}");
    profiles.remove("eu1").unwrap();
    assert_eq!(profiles.current(), None);
    assert!(profiles.select(Some("us1")).is_ok());
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE);
    let base = "[profiles.us1]\ntoken_url='https://a.b/'\nbase_url='https://a.b/'\nclient_id='x'\n";
    for (text, line) in [
        (
            format!("{base}client_secret='planted'\n"),
            "line 5: `client_secret`",
        ),
        (format!("{base}secret='planted'\n"), "line 5: `secret`"),
        (
            format!("{base}[profiles.us1.secret]\nPassword='planted'\n"),
            "line 6: `Password`",
        ),
        ("[profiles.us1\nplanted".to_owned(), "line "),
    ] {
        fs::write(&file, text).unwrap();
        let error = Profiles::load(directory.path()).unwrap_err();
        assert!(error.to_string().contains(line), "{error:?}");
        assert!(
            !format!("{error} {error:?}").contains("planted"),
            "{error:?}"
        );
    }
    fs::write(
        &file,
        "[profiles.us1]\ntoken_url='http://far.away/'\nbase_url='https://a.b/'\nclient_id='x'\n",
    )
    .unwrap();
    let error = Profiles::load(directory.path()).unwrap_err();
    assert!(error.to_string().contains("us1") && error.hint().unwrap().contains("https"));
}

#[test]
fn a_shared_file_gets_no_secret_that_was_not_meant_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shared.toml");
    let read = |more: &str| {
        let text = format!("[profiles.ci]\nregion='us1'\nclient_id='x'\n{more}\n");
        fs::write(&file, text).unwrap();
        Profiles::load_shared(&file)
    };
    for allowed in [
        "secret={env='HALLPASS_CI_SECRET'}",
        "secret={store='keyring'}",
        "api='api.yaml'",
    ] {
        let profiles = read(allowed).unwrap();
        assert!(
            profiles.select(Some("ci")).unwrap().is_shared(),
            "{allowed}"
        );
    }
    for refused in [
        "secret={env='AWS_SECRET_ACCESS_KEY'}",
        "secret={env='HALLPASS_CLIENT_SECRET'}",
        "secret={env='HALLPASS_ACCESS_TOKEN'}",
        "secret={file='/etc/shadow'}",
        "secret={command=['touch','/tmp/x']}",
        "insecure=true",
        "ca_file='ca.pem'",
        "client_certificate='own.pem'\nclient_key='own.key'",
        "authentication='private_key_jwt'\nprivate_key='key.pem'",
    ] {
        let error = read(refused).unwrap_err();
        assert!(
            error.hint().unwrap().contains("your own"),
            "{refused}: {error}"
        );
    }
    assert!(Profiles::load_shared(&directory.path().join("none")).is_err());
}

#[test]
fn changes_made_at_the_same_time_are_all_kept() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let directory = directory.path();
            scope.spawn(move || add(directory, profile(&format!("p{n}")), Existing::Keep));
        }
    });
    assert_eq!(Profiles::load(directory.path()).unwrap().iter().count(), 8);
}
