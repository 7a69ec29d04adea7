-- Whether somebody else than the owner switched the credential off: then only an administrator switches
-- it on again.
ALTER TABLE credential ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
