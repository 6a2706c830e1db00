-- Scopes that somebody was asked for and did not give: they are not asked for them again.
ALTER TABLE consents ADD COLUMN refused TEXT NOT NULL DEFAULT '';
