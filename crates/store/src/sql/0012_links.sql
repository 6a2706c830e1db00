-- Links in letters: each is good once, for one purpose and one address, and nothing but the hash of its secret
-- is kept. An invitation's link also says who is invited.
CREATE TABLE links (
    hash BLOB NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    subject TEXT REFERENCES users (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    username TEXT,
    name TEXT,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_expiry ON links (expires_at);
CREATE INDEX links_by_address ON links (purpose, address);
CREATE INDEX links_by_subject ON links (subject);
-- People are found by their address too; several may have the same.
CREATE INDEX users_by_email ON users (lower(email)) WHERE email IS NOT NULL;
-- Of what was said about a personal token's end: how long before it, in milliseconds.
ALTER TABLE personal_tokens ADD COLUMN told_before INTEGER;
