-- What else is known about a person, by the names of claims (OpenID Connect Core 1.0 section 5.1): a JSON
-- object.
ALTER TABLE users ADD COLUMN claims TEXT NOT NULL DEFAULT '{}';
