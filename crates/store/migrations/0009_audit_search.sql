-- The audit log is read newest first, for one workspace, and often for one person, one client or what
-- was not done. Each of these has the order of reading in its index, so that a page costs a page.
CREATE INDEX audit_event_time ON audit_event (workspace_id, occurred_at, sequence);

CREATE INDEX audit_event_person ON audit_event (workspace_id, user_email, occurred_at, sequence)
    WHERE user_email <> '';

CREATE INDEX audit_event_client ON audit_event (workspace_id, client_id, occurred_at, sequence)
    WHERE client_id <> '';

CREATE INDEX audit_event_state ON audit_event (workspace_id, state, occurred_at, sequence)
    WHERE state <> 'Success';
