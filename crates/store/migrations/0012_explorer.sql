-- What a person keeps in the explorer: documents of the workspaces that they made there. Nobody else
-- reaches them, and they go with the person.
CREATE TABLE explorer_document (
    person_id  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    workspace  TEXT NOT NULL,
    name       TEXT NOT NULL,
    content    BLOB NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, workspace, name)
);

-- Secrets of those workspaces, each encrypted under a key of its person, which follows from the master
-- key.
CREATE TABLE explorer_secret (
    person_id  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    workspace  TEXT NOT NULL,
    name       TEXT NOT NULL,
    sealed     BLOB NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, workspace, name)
);
