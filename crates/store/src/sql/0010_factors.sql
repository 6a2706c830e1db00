-- What people prove who they are with beside a password. The secret is sealed under the master key; of a
-- time-based one-time password the last step that was accepted is kept, so that a code works once.
CREATE TABLE factors (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX factors_by_subject ON factors (subject);
-- What stands in for a factor that is lost: 80 random bits each, of which nothing but the hash is kept.
CREATE TABLE recovery_codes (
    subject TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (subject, hash)
) STRICT, WITHOUT ROWID;
-- Browsers in which a person proved a further factor and asked not to be asked for it again.
CREATE TABLE remembered_browsers (
    hash BLOB NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_browsers_by_subject ON remembered_browsers (subject);
CREATE INDEX remembered_browsers_by_expiry ON remembered_browsers (expires_at);
-- Whether a person has to prove more than a password, whatever the configuration says.
ALTER TABLE users ADD COLUMN require_mfa INTEGER NOT NULL DEFAULT 0;
