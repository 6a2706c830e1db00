-- The places that a personal token may be used from, as texts such as countries:NO,SE: all of them hold.
ALTER TABLE personal_tokens ADD COLUMN places TEXT NOT NULL DEFAULT '[]';
