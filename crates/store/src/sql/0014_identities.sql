-- Who somebody is at an identity provider: a person may have several, and each of them belongs to one person.
-- The issuer is kept beside the provider's name, so that a name that is given to another provider brings no
-- accounts along. Tokens of the provider are sealed under the master key together with whose they are.
CREATE TABLE identities (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    provider_subject TEXT NOT NULL,
    subject TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    sealed BLOB,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (provider, issuer, provider_subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_subject ON identities (subject);
-- On whose word a sign-in session stands, so that it ends when it ends there.
ALTER TABLE sessions ADD COLUMN provider TEXT;
ALTER TABLE sessions ADD COLUMN provider_subject TEXT;
ALTER TABLE sessions ADD COLUMN provider_session TEXT;
CREATE INDEX sessions_by_provider ON sessions (provider, provider_subject) WHERE provider IS NOT NULL;
CREATE INDEX sessions_by_provider_session ON sessions (provider, provider_session)
    WHERE provider_session IS NOT NULL;
