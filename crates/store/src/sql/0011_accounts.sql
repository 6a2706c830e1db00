-- Passkeys (Web Authentication Level 3). What signatures are checked with is sealed under the master key
-- together with whose it is, so that it cannot be exchanged. The handle is what an authenticator calls the
-- person: random, one for all passkeys of a person.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential BLOB NOT NULL UNIQUE,
    handle BLOB NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    counter INTEGER NOT NULL,
    is_backed_up INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_subject ON passkeys (subject);
-- Where a sign-in session was begun, and when it was last seen: what its person recognises it by. The last
-- use is written down now and then, not with every page.
ALTER TABLE sessions ADD COLUMN last_used_at INTEGER;
ALTER TABLE sessions ADD COLUMN ip TEXT;
ALTER TABLE sessions ADD COLUMN browser TEXT;
-- What a person did, and what was done to them, is shown to them.
CREATE INDEX audit_by_actor ON audit (actor, seq);
CREATE INDEX audit_by_target ON audit (target, seq);
