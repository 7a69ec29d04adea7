-- What every token needs written, as one statement: a row here raises the watermark of a credential (one
-- with a `place`) or writes an event (one with an `id`). A statement is a transaction by itself, so neither
-- is there without the other, and the writer waits for one answer of the database instead of one for
-- each statement of a transaction. Nothing is ever read here.
CREATE VIEW group_write (
    place, bare, id, workspace_id, occurred_at, logged_at, state, code, message, source, source_ip,
    user_email, client_id, permission, task_id, resource_id, resource_name, resource_type, count, counted
) AS SELECT
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
WHERE 0;

-- A credential deleted meanwhile has no row and needs no watermark.
CREATE TRIGGER group_write_watermark INSTEAD OF INSERT ON group_write WHEN NEW.place IS NOT NULL
BEGIN
    UPDATE credential SET watermark = NEW.place, bare_token = NEW.bare
    WHERE client_id = NEW.client_id AND watermark < NEW.place;
END;

CREATE TRIGGER group_write_event INSTEAD OF INSERT ON group_write WHEN NEW.id IS NOT NULL
BEGIN
    INSERT INTO audit_event (
        id, workspace_id, occurred_at, logged_at, state, code, message, source, source_ip, user_email,
        client_id, permission, task_id, resource_id, resource_name, resource_type, count, counted
    ) VALUES (
        NEW.id, NEW.workspace_id, NEW.occurred_at, NEW.logged_at, NEW.state, NEW.code, NEW.message,
        NEW.source, NEW.source_ip, NEW.user_email, NEW.client_id, NEW.permission, NEW.task_id,
        NEW.resource_id, NEW.resource_name, NEW.resource_type, NEW.count, NEW.counted
    )
    ON CONFLICT (counted) DO UPDATE SET count = count + excluded.count, logged_at = excluded.logged_at;
END;
