-- The address that a credential was last used from, empty where it is not known. Written with
-- `last_used_at`.
ALTER TABLE credential ADD COLUMN last_used_from TEXT NOT NULL DEFAULT '';
