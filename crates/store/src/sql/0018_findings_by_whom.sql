-- Whom findings concern and how sure they are, to be looked for without reading them.
ALTER TABLE findings ADD COLUMN class TEXT;
ALTER TABLE findings ADD COLUMN subject TEXT;
ALTER TABLE findings ADD COLUMN client TEXT;
ALTER TABLE findings ADD COLUMN token TEXT;
ALTER TABLE findings ADD COLUMN ip TEXT;
UPDATE findings SET class = json_extract(finding, '$.class'), subject = json_extract(finding, '$.subject'),
    client = json_extract(finding, '$.client'), token = json_extract(finding, '$.token'),
    ip = json_extract(finding, '$.ip');
CREATE INDEX findings_by_subject ON findings (subject, position) WHERE subject IS NOT NULL;
CREATE INDEX findings_by_client ON findings (client, position) WHERE client IS NOT NULL;
CREATE INDEX findings_by_token ON findings (token, position) WHERE token IS NOT NULL;
CREATE INDEX findings_by_ip ON findings (ip, position) WHERE ip IS NOT NULL;
CREATE INDEX findings_by_detector ON findings (detector, position);
CREATE INDEX findings_by_severity ON findings (severity, position);
CREATE INDEX findings_judged ON findings (position) WHERE verdict IS NOT NULL;
CREATE INDEX findings_answered ON findings (position) WHERE restriction IS NOT NULL;
