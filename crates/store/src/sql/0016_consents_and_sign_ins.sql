-- Scopes that somebody was asked for and did not give: they are not asked for them again.
ALTER TABLE consents ADD COLUMN refused TEXT NOT NULL DEFAULT '';

-- When it is worth nothing any more to tell it: what has such a time is tried until then, and not kept longer.
ALTER TABLE deliveries ADD COLUMN until_at INTEGER;

-- Sign-ins, for the people whose they are: they outlive their sessions.
CREATE TABLE sign_ins (
    session TEXT NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    amr TEXT NOT NULL,
    ip TEXT,
    browser TEXT,
    provider TEXT,
    client TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_subject ON sign_ins (subject, at);
CREATE INDEX sign_ins_by_time ON sign_ins (at);

-- Tries that failed, one row for a person, a day and what was wrong, however many there were.
CREATE TABLE failed_sign_ins (
    subject TEXT NOT NULL,
    day INTEGER NOT NULL,
    wrong TEXT NOT NULL,
    tries INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    ip TEXT,
    browser TEXT,
    PRIMARY KEY (subject, day, wrong)
) STRICT, WITHOUT ROWID;
CREATE INDEX failed_sign_ins_by_time ON failed_sign_ins (last_at);
