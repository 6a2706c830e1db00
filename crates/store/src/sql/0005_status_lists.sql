-- Token Status Lists (draft-ietf-oauth-status-list), and what a restart must not forget.

CREATE TABLE status_lists (
    list TEXT NOT NULL PRIMARY KEY,
    entries INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    -- Empty as long as the process that opened the list hands out its places.
    forget_at INTEGER
) STRICT;

-- Where a token's status stands. The index lists the tokens of a list in the order of their issue,
-- which is the order in which they lie.
ALTER TABLE issued_tokens ADD COLUMN status_list TEXT;
ALTER TABLE issued_tokens ADD COLUMN status_idx INTEGER;
CREATE INDEX issued_tokens_by_status_list ON issued_tokens (status_list)
    WHERE status_list IS NOT NULL;

-- Pushed authorization requests (RFC 9126): the hash of the name, the request itself sealed.
CREATE TABLE pushed_requests (
    name BLOB NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    request BLOB NOT NULL,
    opened INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pushed_requests_by_end ON pushed_requests (expires_at);

-- Names of what is good once and was used: half of a SHA-256 each.
CREATE TABLE used_names (
    kind TEXT NOT NULL,
    name BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_names_by_end ON used_names (expires_at);
