//! The configuration in the words of the parts that it is for. What cannot be translated was refused by
//! the rules before.

use std::num::NonZeroUsize;
use std::sync::Arc;

use hallpass_authorization_server::JWKS_PATHS;
use hallpass_oauth::client_authentication::TwoCredentials;
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::token_error::Wording;
use hallpass_oauth::{Expectation, Profile};
use hallpass_openapi::Definition;
use hallpass_resource_server::{FaultRule, Faults, StandInSettings};
use hallpass_sandbox::TaskUri;
use hallpass_store::{KeyPolicy, Policy};
use jiff::SignedDuration;

use super::Config;
use crate::command::CommandError;

/// The words for how error bodies are written; the first is the default.
pub(super) const WORDINGS: [(&str, Wording); 2] = [
    ("ping-federate", Wording::PingFederate),
    ("rfc6749", Wording::Rfc6749),
];

/// The words for what a 202 puts into `taskUri`; the first is the default.
pub(super) const TASK_URIS: [(&str, TaskUri); 3] = [
    ("id", TaskUri::Id),
    ("path", TaskUri::Path),
    ("definition", TaskUri::Definition),
];

/// A rule in the words of the resource server.
pub(super) fn fault_rule(rule: &super::FaultRule) -> FaultRule {
    FaultRule {
        on: rule.on.clone(),
        faults: rule.faults.clone(),
    }
}

impl Config {
    /// What the store enforces.
    pub(crate) fn policy(&self) -> Policy {
        let (tokens, keys) = (&self.tokens, &self.keys);
        let seconds = SignedDuration::from_secs;
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Policy {
            profile: tokens.profile.parse().unwrap_or_default(),
            single_active: tokens.single_active,
            grace: seconds(tokens.grace_seconds),
            reset_grace: seconds(tokens.reset_grace_seconds),
            jti: tokens.jti,
            token_lifetime: seconds(tokens.lifetime_seconds),
            platform_token_lifetime: seconds(tokens.platform_lifetime_seconds),
            longest_token_lifetime: seconds(tokens.longest_lifetime_seconds),
            credentials_per_owner: self.credentials.per_owner,
            longest_name: self.credentials.longest_name,
            longest_overlap: days(self.credentials.longest_overlap_days),
            keys: KeyPolicy {
                spec: keys.kind.parse().unwrap_or_default(),
                rotate_every: (keys.rotate_every_days > 0).then(|| days(keys.rotate_every_days)),
                publish_before: seconds(keys.publish_before_seconds),
            },
            audit_retention: days(self.audit.retention_days),
            session_idle: SignedDuration::from_mins(self.sessions.idle_minutes),
            longest_session: SignedDuration::from_mins(self.sessions.longest_minutes),
        }
    }

    /// What the authorization server is told, with the issuers whose tokens may be alive.
    pub(crate) fn authorization_server(
        &self,
        expectation: &Expectation,
        base_url: &str,
    ) -> hallpass_authorization_server::Settings {
        let policy = self.policy();
        hallpass_authorization_server::Settings {
            issuing: Issuing {
                issuer: expectation.issuers[0].clone(),
                audience: expectation.audience.clone(),
                profile: policy.profile,
            },
            issuers: expectation.issuers.clone(),
            base_url: base_url.to_owned(),
            wording: self.wording().unwrap_or_default(),
            // The real system's clients send both (domain facts, section 2.5); nobody else should.
            two_credentials: match policy.profile {
                Profile::Greenlake => TwoCredentials::ToleratedWhenEqual,
                Profile::Rfc9068 => TwoCredentials::Refused,
            },
            assertions_for_endpoint: self.tokens.assertions_for_endpoint,
            jwks_paths: self.keys.paths.clone(),
            jwks_max_age: self.keys_max_age(),
            limits: self.limits(),
        }
    }

    /// How long verifiers may keep the published keys.
    pub(crate) fn keys_max_age(&self) -> SignedDuration {
        SignedDuration::from_secs(self.keys.max_age_seconds)
    }

    /// Where the keys are published, as the metadata and the console say it: the first of the paths.
    pub(crate) fn jwks_path(&self) -> &str {
        self.keys
            .paths
            .first()
            .map_or(JWKS_PATHS[0], String::as_str)
    }

    fn limits(&self) -> hallpass_authorization_server::Limits {
        let limits = &self.limits;
        let defaults = hallpass_authorization_server::Limits::default();
        hallpass_authorization_server::Limits {
            failures_per_client: limits.failures_per_client,
            failures_per_address: limits.failures_per_address,
            tokens_per_credential: limits.tokens_per_credential,
            questions_per_credential: limits.questions_per_credential,
            assertion_lifetime: SignedDuration::from_secs(self.tokens.assertion_lifetime_seconds),
            under_way: limits.under_way,
            signing_threads: NonZeroUsize::new(limits.signing_threads)
                .unwrap_or(defaults.signing_threads),
            signing_queue: NonZeroUsize::new(limits.signing_queue)
                .unwrap_or(defaults.signing_queue),
        }
    }

    /// The stand-in: how it behaves, how it begins, how large it may become.
    pub(crate) fn stand_in(&self) -> StandInSettings {
        let sandbox = &self.sandbox;
        StandInSettings {
            sandbox: hallpass_sandbox::Settings {
                task_duration: SignedDuration::from_millis(sandbox.task_milliseconds),
                strict: sandbox.strict,
                default_page: sandbox.default_page,
                longest_page: sandbox.longest_page,
                task_uri: self.task_uri().unwrap_or(TaskUri::Id),
                volumes: sandbox.volumes,
                ..hallpass_sandbox::Settings::default()
            },
            seed: sandbox.seed,
            objects: sandbox.objects,
        }
    }

    /// What goes wrong on request, for one instance.
    pub(crate) fn faults(&self, definition: &Arc<Definition>) -> Result<Faults, CommandError> {
        let faults = &self.sandbox.faults;
        let rules = faults.rules.iter().map(fault_rule).collect();
        Faults::new(definition.clone(), faults.enabled, self.sandbox.seed, rules)
            .map_err(|error| CommandError::usage(format!("sandbox.faults.rules: {error}")))
    }

    /// What a 202 puts into `taskUri`.
    pub(super) fn task_uri(&self) -> Option<TaskUri> {
        let known = TASK_URIS.into_iter();
        let mut known = known.filter(|(word, _)| *word == self.sandbox.task_uri);
        known.next().map(|(_, uri)| uri)
    }

    /// How error bodies are written.
    pub(super) fn wording(&self) -> Option<Wording> {
        WORDINGS
            .into_iter()
            .find(|(word, _)| *word == self.tokens.errors)
            .map(|(_, wording)| wording)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hallpass_oauth::KeySpec;

    use super::*;

    #[test]
    fn what_is_set_reaches_the_policy() {
        let text = "[tokens]\njti = false\ngrace_seconds = 60\n\
                    [sessions]\nidle_minutes = 5\nlongest_minutes = 60\n\
                    [keys]\nkind = \"ed25519\"\nrotate_every_days = 0\npaths = [\"/ext/keys\"]";
        let config = Config::parse(text, Path::new("h.toml")).unwrap();
        let policy = config.policy();
        assert_eq!(policy.keys.spec, KeySpec::Ed25519);
        assert_eq!(policy.keys.rotate_every, None);
        assert_eq!(policy.grace, SignedDuration::from_secs(60));
        assert!(!policy.jti);
        assert_eq!(policy.session_idle, SignedDuration::from_mins(5));
        assert_eq!(policy.longest_session, SignedDuration::from_hours(1));
    }

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_parts() {
        let config = Config::default();
        assert_eq!(
            config.limits().assertion_lifetime,
            SignedDuration::from_mins(5)
        );
        assert_eq!(config.wording(), Some(Wording::default()));
        assert_eq!(config.policy().profile, Profile::default());
    }
}
