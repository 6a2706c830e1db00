-- What is to be told to others: it waits here until they have taken it, or is given up (`dead`) with the cause
-- and stays to be looked at. `due_at` of what is dead: when it was given up.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE,
    outlet TEXT NOT NULL,
    about TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    state TEXT NOT NULL,
    cause TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_by_due ON deliveries (outlet, state, due_at);
CREATE INDEX deliveries_by_end ON deliveries (state, due_at);
