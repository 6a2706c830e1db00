-- One row for each family of refresh tokens, in place of one for each token: a rotation changes that row
-- and adds none. A token says which family it is of, and that it was made here; one that is not the
-- family's current was used before.
CREATE TABLE refresh_families (
    family BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (grant_id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    -- The hash of the token that can be used, and its end.
    current BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    -- The one before, when it was used, and by whom.
    previous BLOB,
    rotated_at INTEGER,
    party BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_families_by_grant ON refresh_families (grant_id);
-- A token from before says nothing: each is alone in a family of its own, a used one with no current.
INSERT INTO refresh_families (family, grant_id, scopes, current, expires_at, rotated_at)
    SELECT substr(hash, 1, 10), grant_id, scopes,
        CASE WHEN rotated_at IS NULL THEN hash ELSE zeroblob(32) END, expires_at, rotated_at
    FROM refresh_tokens WHERE grant_id IN (SELECT grant_id FROM grants);
DROP TABLE refresh_tokens;
