-- Access tokens that are given out as opaque values: the JWT that each stands for, sealed under a key
-- that only the value yields.
CREATE TABLE token_references (
    hash BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_references_by_end ON token_references (forget_at);

-- Tokens that are kept for applications in browsers, sealed under a key that only the cookie yields.
CREATE TABLE browser_sessions (
    hash BLOB NOT NULL PRIMARY KEY,
    origin TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX browser_sessions_by_end ON browser_sessions (expires_at);
