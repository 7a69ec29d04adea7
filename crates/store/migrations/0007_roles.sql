-- A role that an administrator made. `permissions` holds its words with a space between. A
-- `role_assignment.role` is the word of a built-in role or the id of one of these.
CREATE TABLE role (
    id           TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    permissions  TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE INDEX role_assignment_role ON role_assignment (role);

-- Kept beside the sessions, which are forgotten when they end.
ALTER TABLE person ADD COLUMN last_sign_in_at BIGINT;
