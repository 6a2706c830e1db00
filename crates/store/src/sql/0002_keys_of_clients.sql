-- Keys of clients and for clients: what a client registers beside its name and addresses, the key
-- that a grant is bound to (RFC 9449 §5), and several signing algorithms side by side.

-- A JSON object; `store::ClientOptions` names its members.
ALTER TABLE clients ADD COLUMN options TEXT NOT NULL DEFAULT '{}';

ALTER TABLE codes ADD COLUMN jkt TEXT;
ALTER TABLE grants ADD COLUMN jkt TEXT;

-- Before this version there was one algorithm.
ALTER TABLE signing_keys ADD COLUMN alg TEXT NOT NULL DEFAULT 'ES256';
