-- What shows a second time that somebody is who they say (RFC 6238). `sealed` is the secret that their
-- device has too, encrypted under the master key. It counts from `confirmed_at` on; a code is good once,
-- so the last step that was used stays here.
CREATE TABLE second_factor (
    person_id    TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    sealed       BLOB NOT NULL,
    begun_at     BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT NOT NULL DEFAULT 0
);

-- Codes for whoever has lost the device, each good once. Kept as keyed digests only.
CREATE TABLE recovery_code (
    digest    TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE
);

CREATE INDEX recovery_code_person ON recovery_code (person_id);

-- Somebody whose password was right and who has not typed the code yet.
CREATE TABLE sign_in_step (
    digest    TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    begun_at  BIGINT NOT NULL,
    tries     BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX sign_in_step_person ON sign_in_step (person_id);

-- The link that a server prints when it starts and no administrator has a password. Without a person
-- it makes the first administrator.
CREATE TABLE start_link (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    digest     TEXT NOT NULL,
    person_id  TEXT REFERENCES person (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
