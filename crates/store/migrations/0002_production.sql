-- Secrets of their own table: two may be alive while a new one takes over from an old one. `id` names
-- a secret and is not secret itself.
CREATE TABLE credential_secret (
    id           TEXT PRIMARY KEY,
    client_id    TEXT NOT NULL REFERENCES credential (client_id) ON DELETE CASCADE,
    digest       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT
);

CREATE INDEX credential_secret_client ON credential_secret (client_id);

INSERT INTO credential_secret (id, client_id, digest, created_at)
SELECT client_id || '-' || generation, client_id, secret_digest, updated_at FROM credential;

ALTER TABLE credential DROP COLUMN secret_digest;

-- `lifetime` is that of the credential's tokens in seconds, where it differs from the service's.
-- `scopes` is space-delimited; `jwks` the registered public keys (RFC 7517 section 5). `bare_token` is
-- the fingerprint of the one current token where tokens carry no jti.
ALTER TABLE credential ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;
ALTER TABLE credential ADD COLUMN expires_at BIGINT;
ALTER TABLE credential ADD COLUMN last_used_at BIGINT;
ALTER TABLE credential ADD COLUMN lifetime BIGINT;
ALTER TABLE credential ADD COLUMN scopes TEXT;
ALTER TABLE credential ADD COLUMN methods TEXT NOT NULL DEFAULT 'client_secret_basic client_secret_post';
ALTER TABLE credential ADD COLUMN jwks TEXT;
ALTER TABLE credential ADD COLUMN introspects BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credential ADD COLUMN bare_token BLOB;

-- The workspace that manages this one, for token exchange.
ALTER TABLE workspace ADD COLUMN managed_by TEXT REFERENCES workspace (id);

-- What must not be taken (again) until it would have ended anyway: revoked tokens and used client
-- assertions.
CREATE TABLE spent_id (
    id         BLOB PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX spent_id_age ON spent_id (expires_at);

-- A signing key is upcoming, active, retiring or retired. `sealed` is empty once it is retired.
-- `longest_lifetime` is that of the tokens it signed, in seconds.
CREATE TABLE signing_key_with_state (
    id               TEXT PRIMARY KEY,
    sealed           BLOB NOT NULL,
    kind             TEXT NOT NULL,
    state            TEXT NOT NULL,
    imported         BIGINT NOT NULL,
    longest_lifetime BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    activates_at     BIGINT NOT NULL,
    retiring_since   BIGINT,
    retires_at       BIGINT
);

INSERT INTO signing_key_with_state
    (id, sealed, kind, state, imported, longest_lifetime, created_at, activates_at)
SELECT id, sealed, 'rsa-2048', 'active', 0, 7200, created_at, created_at FROM signing_key;

DROP TABLE signing_key;

ALTER TABLE signing_key_with_state RENAME TO signing_key;
