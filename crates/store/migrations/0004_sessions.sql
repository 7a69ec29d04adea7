-- A person who may not sign in, and whose credentials get no tokens, is kept with `enabled` = 0.
ALTER TABLE person ADD COLUMN enabled BIGINT NOT NULL DEFAULT 1;

-- A person signed in at the console. The secret is in the browser's cookie only; here is its keyed
-- digest. `id` names the session where it is listed.
CREATE TABLE session (
    digest       TEXT PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    person_id    TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    address      TEXT NOT NULL,
    user_agent   TEXT NOT NULL
);

CREATE INDEX session_person ON session (person_id);
