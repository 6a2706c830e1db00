-- The first version. Times are milliseconds since 1970-01-01T00:00:00Z, lists are JSON texts,
-- scopes are texts separated by spaces, hashes are SHA-256 of 32 bytes.

-- Numbers without holes: taken back when the transaction that took them is.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: what only the right master key opens.
CREATE TABLE master_key_check (
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash BLOB,
    auth_method TEXT NOT NULL,
    grant_types TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    metadata TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    name TEXT,
    email TEXT,
    email_verified INTEGER NOT NULL,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    cookie BLOB NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    amr TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_subject ON sessions (subject);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE consents (
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    scopes TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (subject, client)
) STRICT, WITHOUT ROWID;

-- The columns of a grant have the same names here and in `codes`, where it waits for its code.
CREATE TABLE grants (
    grant_id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT,
    grant_scopes TEXT NOT NULL,
    audiences TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    amr TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    grant_expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_reason TEXT
) STRICT;
CREATE INDEX grants_by_client ON grants (client);
CREATE INDEX grants_by_subject ON grants (subject);
CREATE INDEX grants_by_session ON grants (session);
CREATE INDEX grants_by_end ON grants (grant_expires_at);

CREATE TABLE codes (
    hash BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL,
    client TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT,
    grant_scopes TEXT NOT NULL,
    audiences TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    amr TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    grant_expires_at INTEGER NOT NULL,
    redirect_uri TEXT NOT NULL,
    redirect_uri_sent INTEGER NOT NULL,
    challenge TEXT,
    nonce TEXT,
    expires_at INTEGER NOT NULL,
    redeemed_at INTEGER,
    -- An unredeemed code is remembered until it expires, a redeemed one as long as its grant.
    forget_at INTEGER NOT NULL
) STRICT;
CREATE INDEX codes_by_end ON codes (forget_at);

CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (grant_id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    predecessor BLOB,
    rotated_at INTEGER,
    successor BLOB,
    -- Who rotated it, and the answer they got, sealed; both are erased when the time for a retry
    -- has passed.
    party BLOB,
    answer BLOB,
    answer_until INTEGER
) STRICT;
CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_by_answer ON refresh_tokens (answer_until)
    WHERE answer_until IS NOT NULL;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    sealed_pkcs8 BLOB,
    public_jwk TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    activated_at INTEGER,
    retired_at INTEGER
) STRICT;

-- The restriction log. A row with `lifts` ends the row of that number and has no selector.
-- `forget_at` is no part of the log: from then on the row fits nothing that can be alive.
CREATE TABLE restrictions (
    seq INTEGER NOT NULL PRIMARY KEY,
    lifts INTEGER UNIQUE,
    selector_kind TEXT,
    selector_value TEXT,
    effect TEXT,
    from_at INTEGER,
    until_at INTEGER,
    reason TEXT,
    actor TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    forget_at INTEGER
) STRICT;
CREATE INDEX restrictions_by_selector ON restrictions (selector_kind, selector_value);
CREATE INDEX restrictions_by_end ON restrictions (forget_at);

CREATE TABLE findings (
    id TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    finding TEXT NOT NULL,
    ts INTEGER NOT NULL,
    detector TEXT NOT NULL,
    incident TEXT NOT NULL,
    restriction INTEGER,
    restriction_created INTEGER NOT NULL,
    undone_at INTEGER,
    undone_by TEXT
) STRICT;

CREATE TABLE honeytokens (
    token TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `long_lived` tokens outlive what is configured: a revocation must be kept as long as they live.
CREATE TABLE issued_tokens (
    token TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    client TEXT NOT NULL,
    grant_id TEXT,
    session TEXT,
    scopes TEXT NOT NULL,
    audiences TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    long_lived INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX issued_tokens_by_end ON issued_tokens (expires_at);
CREATE INDEX issued_tokens_long_lived ON issued_tokens (expires_at) WHERE long_lived = 1;

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    ip TEXT
) STRICT;
