-- Every sign-in forgets the sessions that have ended: it looks for them by these.
CREATE INDEX session_last_seen ON session (last_seen_at);
CREATE INDEX session_created ON session (created_at);
