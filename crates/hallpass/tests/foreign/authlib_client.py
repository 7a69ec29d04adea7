"""Authlib against a running server, with joserfc to verify what it gets.

The phase `keys` prints new key pairs. The phases `strict` (a server with its default settings) and
`lenient` (one that takes assertions as Authlib makes them, and issues tokens of the profile `rfc9068`)
get them back in STAGE, with what else they have to know, and print a line for each case that held.
"""

import json
import os
import sys
import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jws import JWSRegistry
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

STAGE = json.loads(os.environ["STAGE"])
PHASE = sys.argv[1]

# joserfc takes no header that it does not know unless it is told to. Tokens of the profile `greenlake`
# have `pi.atm`, as the real system's do; those of `rfc9068`, which `lenient` issues, have none.
REGISTRY = JWSRegistry(algorithms=["RS256"], strict_check_header=PHASE == "lenient")


def make_keys():
    made = {
        "RS256": RSAKey.generate_key(2048, auto_kid=True),
        "ES256": ECKey.generate_key("P-256", auto_kid=True),
        "EdDSA": OKPKey.generate_key("Ed25519", auto_kid=True),
    }
    pairs = {
        algorithm: {"public": key.as_dict(private=False), "private": key.as_dict(private=True)}
        for algorithm, key in made.items()
    }
    print(json.dumps(pairs))


def import_key(key):
    kinds = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    return kinds[key["kty"]].import_key(key)


class ShortLived(PrivateKeyJWT):
    """An assertion of a minute, with an id of its own.

    Claims given once to PrivateKeyJWT would be those of every request: an `exp` that passes, and the
    same `jti` each time.
    """

    def sign(self, auth, token_endpoint):
        self.claims = {"exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


def metadata():
    answer = requests.get(STAGE["issuer"] + "/.well-known/oauth-authorization-server", timeout=30)
    answer.raise_for_status()
    return answer.json()


def with_secret(method, secret):
    return OAuth2Session(STAGE["clientId"], secret, token_endpoint_auth_method=method)


def with_key(algorithm, method):
    registered = STAGE["keyClients"][algorithm]
    session = OAuth2Session(
        registered["id"],
        import_key(registered["key"]),
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
    )
    session.register_client_auth_method(method)
    return session


def verify(token, client_id, server):
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=30).json())
    decoded = jwt.decode(token, keys, registry=REGISTRY)
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server["issuer"]},
        aud={"essential": True, "value": STAGE["audience"]},
        exp={"essential": True},
    ).validate(decoded.claims)
    assert decoded.claims["client_id"] == client_id, decoded.claims


def gets_uses_and_ends_a_token(session, token_url=STAGE and STAGE["tokenUrl"]):
    server = metadata()
    token = session.fetch_token(token_url, grant_type="client_credentials")
    # What is left when the answer is written; a busy machine writes late.
    assert token["token_type"] == "Bearer" and 7100 < token["expires_in"] <= 7200, token
    text = token["access_token"]
    verify(text, session.client_id, server)
    opened = session.get(STAGE["resource"])
    assert opened.status_code == 200, opened.text

    def introspect():
        answer = session.introspect_token(server["introspection_endpoint"], token=text)
        assert answer.status_code == 200, answer.text
        return answer.json()

    seen = introspect()
    assert seen["active"] and seen["client_id"] == session.client_id, seen
    revoked = session.revoke_token(server["revocation_endpoint"], token=text)
    assert revoked.status_code == 200, revoked.text
    assert introspect() == {"active": False}
    refused = requests.get(
        STAGE["resource"], headers={"Authorization": f"Bearer {text}"}, timeout=30
    )
    assert refused.status_code == 401, refused.text


def is_refused(session):
    try:
        session.fetch_token(STAGE["tokenUrl"], grant_type="client_credentials")
    except OAuthError as error:
        assert error.error == "invalid_client" and error.description, error
    else:
        raise AssertionError("a token was issued")


def secret_by(method):
    gets_uses_and_ends_a_token(with_secret(method, STAGE["clientSecret"]))


def key_for_the_issuer():
    for algorithm in ("RS256", "ES256", "EdDSA"):
        method = ShortLived(STAGE["issuer"], alg=algorithm)
        session = with_key(algorithm, method)
        gets_uses_and_ends_a_token(session)
        # A program that renews makes a second assertion.
        gets_uses_and_ends_a_token(session)


def key_as_it_comes_is_refused():
    is_refused(with_key("RS256", ShortLived()))
    is_refused(with_key("RS256", PrivateKeyJWT(STAGE["issuer"])))


def wrong_secret():
    for method in ("client_secret_basic", "client_secret_post"):
        is_refused(with_secret(method, "wrong"))


def key_for_the_endpoints():
    gets_uses_and_ends_a_token(with_key("RS256", PrivateKeyJWT()))
    gets_uses_and_ends_a_token(with_key("ES256", PrivateKeyJWT(alg="ES256")))
    # RFC 7523 section 3, point 3: everywhere the token endpoint's URL.
    gets_uses_and_ends_a_token(with_key("RS256", PrivateKeyJWT(STAGE["tokenUrl"])))


def key_for_the_workspace():
    session = with_key("RS256", PrivateKeyJWT())
    gets_uses_and_ends_a_token(session, STAGE["workspaceTokenUrl"])


CASES = {
    "strict": {
        "client_secret_basic": lambda: secret_by("client_secret_basic"),
        "client_secret_post": lambda: secret_by("client_secret_post"),
        "private_key_jwt for the issuer": key_for_the_issuer,
        "private_key_jwt as it comes is refused": key_as_it_comes_is_refused,
        "wrong secret": wrong_secret,
    },
    "lenient": {
        "private_key_jwt for the endpoints": key_for_the_endpoints,
        "private_key_jwt for the workspace's token URL": key_for_the_workspace,
    },
}

if PHASE == "keys":
    make_keys()
else:
    for name, holds in CASES[PHASE].items():
        holds()
        print(name)
