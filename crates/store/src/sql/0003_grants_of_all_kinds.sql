-- Requests that wait for a person who is elsewhere: a device without a keyboard (RFC 8628), a client
-- that asks by another channel (CIBA). The columns of a grant have the names that they have in
-- `grants`; those that only a decision knows are empty until then.
CREATE TABLE waiting_requests (
    hash BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    user_code BLOB UNIQUE,
    client TEXT NOT NULL,
    subject TEXT,
    grant_scopes TEXT NOT NULL,
    audiences TEXT NOT NULL,
    message TEXT,
    asked_from TEXT,
    asked_by TEXT,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    -- For whom a client asked to be told, sealed (CIBA ping).
    notify BLOB,
    grant_id TEXT,
    session TEXT,
    auth_time INTEGER,
    amr TEXT,
    granted_at INTEGER,
    grant_expires_at INTEGER,
    jkt TEXT,
    details TEXT NOT NULL DEFAULT '[]',
    claims TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX waiting_requests_by_end ON waiting_requests (expires_at);
CREATE INDEX waiting_requests_by_subject ON waiting_requests (subject);

-- What exactly was allowed (RFC 9396), and which claims were asked for by name (OpenID Connect
-- Core 1.0 section 5.5); a column of the same name in every table that carries a grant.
ALTER TABLE codes ADD COLUMN details TEXT NOT NULL DEFAULT '[]';
ALTER TABLE codes ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';
ALTER TABLE grants ADD COLUMN details TEXT NOT NULL DEFAULT '[]';
ALTER TABLE grants ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';

-- With what a client that registered itself manages its registration (RFC 7592).
ALTER TABLE clients ADD COLUMN registration_token BLOB;
