-- Personal tokens and tokens of services: of the token itself only its hash. A token that is rotated points
-- to its successor.
CREATE TABLE personal_tokens (
    token TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    -- `person` or `service`, and the id of the person or the client.
    owner_kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    audiences TEXT NOT NULL,
    networks TEXT NOT NULL,
    jkt TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- Seconds.
    idle INTEGER,
    last_used_at INTEGER,
    last_used_ip TEXT,
    last_used_route TEXT,
    used_scopes TEXT NOT NULL,
    rotated_from TEXT,
    rotated_to TEXT,
    revoked_at INTEGER
) STRICT;
CREATE INDEX personal_tokens_by_owner ON personal_tokens (owner_kind, owner, token);
CREATE INDEX personal_tokens_by_end ON personal_tokens (expires_at);
