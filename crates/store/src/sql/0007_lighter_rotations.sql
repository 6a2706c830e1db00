-- A rotation changes one row and adds one: answers are kept in memory, and a token ends by its own time,
-- which is not after that of its grant, so that nothing looks for the tokens of a grant.
CREATE TABLE refresh_tokens_next (
    hash BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    rotated_at INTEGER,
    successor BLOB,
    -- Who rotated it.
    party BLOB
) STRICT, WITHOUT ROWID;
INSERT INTO refresh_tokens_next (hash, grant_id, scopes, expires_at, rotated_at, successor, party)
    SELECT hash, grant_id, scopes, expires_at, rotated_at, successor, party FROM refresh_tokens;
DROP TABLE refresh_tokens;
ALTER TABLE refresh_tokens_next RENAME TO refresh_tokens;
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);
