"""requests_oauthlib against a running server. Gets what it has to know in STAGE and prints a line for
each case that held."""

import json
import os

import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

STAGE = json.loads(os.environ["STAGE"])


def in_header(secret):
    return {"auth": HTTPBasicAuth(STAGE["clientId"], secret)}


def in_body(secret):
    return {"client_secret": secret, "include_client_id": True}


def fetch(credential):
    """The session after its token request, and that request as it was sent."""
    session = OAuth2Session(client=BackendApplicationClient(client_id=STAGE["clientId"]))
    sent = []

    def remember(response):
        sent.append(response.request)
        return response

    session.register_compliance_hook("access_token_response", remember)
    session.fetch_token(token_url=STAGE["tokenUrl"], **credential)
    return session, sent[0]


def opens_the_api(session):
    assert session.token["token_type"] == "Bearer", session.token
    answer = session.get(STAGE["resource"])
    assert answer.status_code == 200, answer.text
    assert requests.get(STAGE["resource"], timeout=30).status_code == 401


def header():
    session, sent = fetch(in_header(STAGE["clientSecret"]))
    # What the server promises to take is what is sent: nothing but the grant in the body.
    assert sent.body == "grant_type=client_credentials", sent.body
    assert sent.headers["Authorization"].startswith("Basic ")
    opens_the_api(session)


def body():
    session, sent = fetch(in_body(STAGE["clientSecret"]))
    assert "Authorization" not in sent.headers and "client_secret=" in sent.body
    opens_the_api(session)


def refused(credential):
    try:
        fetch(credential)
    except InvalidClientError as error:
        assert error.status_code == 401 and error.description, error
    else:
        raise AssertionError("a token was issued")


CASES = {
    "credential in the Authorization header": header,
    "credential in the body": body,
    "wrong secret in the Authorization header": lambda: refused(in_header("wrong")),
    "wrong secret in the body": lambda: refused(in_body("wrong")),
}

for name, holds in CASES.items():
    holds()
    print(name)
