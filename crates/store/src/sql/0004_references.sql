-- Access tokens that are given out as opaque values: the JWT that each stands for, sealed under a key
-- that only the value yields.
CREATE TABLE token_references (
    hash BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    forget_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_references_by_end ON token_references (forget_at);
