-- `person.password` is an Argon2id hash (PHC string), empty until the person has chosen one.
-- Times are nanoseconds since 1970-01-01T00:00:00Z.

CREATE TABLE workspace (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL
);

-- A service in a region. `name` is the short word of the command line (us1), `title` the one that
-- people read.
CREATE TABLE application_instance (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE person (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    email        TEXT NOT NULL,
    password     TEXT,
    created_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, email)
);

-- A one-time link with which a person chooses their password. Kept as a keyed digest only.
CREATE TABLE setup_link (
    digest     TEXT PRIMARY KEY,
    person_id  TEXT NOT NULL UNIQUE REFERENCES person (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- `instance_id` is empty for a role that holds on every instance of the workspace.
CREATE TABLE role_assignment (
    person_id   TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    instance_id TEXT NOT NULL,
    role        TEXT NOT NULL,
    PRIMARY KEY (person_id, instance_id, role)
);

-- `watermark` is the first place in the credential's token sequence that is still good.
CREATE TABLE credential (
    client_id       TEXT PRIMARY KEY,
    person_id       TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    instance_id     TEXT NOT NULL REFERENCES application_instance (id),
    name            TEXT NOT NULL,
    secret_digest   TEXT NOT NULL,
    generation      BIGINT NOT NULL,
    watermark       BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    UNIQUE (person_id, name)
);

-- `sealed` is the private key in PKCS#8, encrypted under the master key.
CREATE TABLE signing_key (
    id         TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    active     BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The issuer names that living tokens may carry: the address of the server may have changed.
-- `present` marks the one in use; the others were last used at `last_used`.
CREATE TABLE issuer (
    url       TEXT PRIMARY KEY,
    present   BIGINT NOT NULL,
    last_used BIGINT NOT NULL
);

-- `counted` is set for rows that stand for many events of one kind in one minute.
CREATE TABLE audit_event (
    sequence      INTEGER PRIMARY KEY,
    id            TEXT NOT NULL,
    workspace_id  TEXT,
    occurred_at   BIGINT NOT NULL,
    logged_at     BIGINT NOT NULL,
    state         TEXT NOT NULL,
    code          TEXT NOT NULL,
    message       TEXT NOT NULL,
    source        TEXT NOT NULL,
    source_ip     TEXT NOT NULL,
    user_email    TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    permission    TEXT NOT NULL,
    task_id       TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    resource_name TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    count         BIGINT NOT NULL,
    counted       TEXT UNIQUE
);

CREATE INDEX audit_event_workspace ON audit_event (workspace_id, sequence);

CREATE INDEX audit_event_age ON audit_event (occurred_at);

CREATE TABLE sandbox_journal (
    workspace_id TEXT NOT NULL,
    instance_id  TEXT NOT NULL,
    sequence     BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    changes      TEXT NOT NULL,
    PRIMARY KEY (workspace_id, instance_id, sequence)
);

CREATE TABLE sandbox_snapshot (
    workspace_id TEXT NOT NULL,
    instance_id  TEXT NOT NULL,
    sequence     BIGINT NOT NULL,
    state        TEXT NOT NULL,
    PRIMARY KEY (workspace_id, instance_id)
);
