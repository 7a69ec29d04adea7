//! What a token is worth at this moment, whichever application instance it is for: the same decision
//! that every resource server makes.

use hallpass_oauth::Expectation;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::verify::{
    SignedToken, TokenRefusal, VerifiedToken, check, unverified_instance,
};
use hallpass_store::VerifiedCaller;
use jiff::Timestamp;

use crate::AuthorizationServer;

impl AuthorizationServer {
    /// Checks that a key of ours signed the token.
    pub(crate) fn signed(
        &self,
        token: &UnverifiedToken<'_>,
        now: Timestamp,
    ) -> Result<SignedToken, TokenRefusal> {
        let instance = unverified_instance(token).ok_or(TokenRefusal::Instance)?;
        let keys = self.published_keys.current();
        check(token, &keys, &self.expectation(instance), now)
    }

    /// Decides whether it is good now, and whose it is.
    pub(crate) fn verified<'a>(
        &self,
        signed: &'a SignedToken,
        now: Timestamp,
    ) -> Result<(VerifiedCaller, VerifiedToken<'a>), TokenRefusal> {
        let keys = self.published_keys.current();
        let expectation = self.expectation(signed.instance().clone());
        self.principals
            .verify_token(signed, &keys, &expectation, now)
    }

    /// This server issues for every instance, so a token has to fit the one that it names.
    fn expectation(&self, instance: hallpass_oauth::ApplicationInstanceId) -> Expectation {
        Expectation {
            issuers: self.settings.issuers.clone(),
            audience: self.settings.issuing.audience.clone(),
            instance,
        }
    }
}
