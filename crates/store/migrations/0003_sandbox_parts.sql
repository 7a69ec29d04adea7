-- A stand-in's state in parts: one row of many megabytes would hold up every other write. The parts of
-- a snapshot count once `sandbox_snapshot` has its sequence; others are left from a write that was
-- broken off, or on their way.
CREATE TABLE sandbox_snapshot_part (
    workspace_id TEXT NOT NULL,
    instance_id  TEXT NOT NULL,
    sequence     BIGINT NOT NULL,
    part         BIGINT NOT NULL,
    state        TEXT NOT NULL,
    PRIMARY KEY (workspace_id, instance_id, sequence, part)
);

INSERT INTO sandbox_snapshot_part (workspace_id, instance_id, sequence, part, state)
SELECT workspace_id, instance_id, sequence, 0, state FROM sandbox_snapshot;

-- `bytes` is the length of the whole state.
ALTER TABLE sandbox_snapshot ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;

UPDATE sandbox_snapshot SET bytes = length(CAST(state AS BLOB));

ALTER TABLE sandbox_snapshot DROP COLUMN state;
