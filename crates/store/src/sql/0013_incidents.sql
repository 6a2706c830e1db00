-- Findings of many networks that do the same at once, and how bad each is, to be counted without reading them.
ALTER TABLE findings ADD COLUMN campaign TEXT;
ALTER TABLE findings ADD COLUMN severity TEXT;
UPDATE findings SET severity = json_extract(finding, '$.severity');
-- What a person says of a finding: `true`, `false` or `expected`.
ALTER TABLE findings ADD COLUMN verdict TEXT;
ALTER TABLE findings ADD COLUMN verdict_at INTEGER;
ALTER TABLE findings ADD COLUMN verdict_by TEXT;
CREATE INDEX findings_by_incident ON findings (incident, position);
CREATE INDEX findings_by_campaign ON findings (campaign, position) WHERE campaign IS NOT NULL;
CREATE INDEX findings_by_restriction ON findings (restriction) WHERE restriction IS NOT NULL;
CREATE INDEX findings_by_time ON findings (detector, ts);

-- Whom or what a detector is believed less about, because people said that it was wrong: each halving
-- halves its confidence.
CREATE TABLE tolerances (
    seq INTEGER NOT NULL PRIMARY KEY,
    detector TEXT NOT NULL,
    about TEXT NOT NULL,
    halvings INTEGER NOT NULL,
    finding TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (detector, about)
) STRICT;
CREATE INDEX tolerances_by_expiry ON tolerances (expires_at);
