//! An authenticator as small as one can be: one key, attestation of the format `none` (Web Authentication
//! Level 3, §6).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use token::base64url;

/// §6.1: somebody touched it, it knows who, the key may be copied, is copied, is in the message.
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const ELIGIBLE: u8 = 8;
const BACKED_UP: u8 = 16;
const ATTESTED: u8 = 64;

pub(in crate::tests) struct Authenticator {
    key: EcdsaKeyPair,
    pub(in crate::tests) credential: Vec<u8>,
    pub(in crate::tests) handle: Option<Vec<u8>>,
    pub(in crate::tests) counter: u32,
    pub(in crate::tests) verifies: bool,
    pub(in crate::tests) is_synced: bool,
    pub(in crate::tests) origin: &'static str,
}

// === impl Authenticator ===

impl Authenticator {
    pub(in crate::tests) fn new(credential: &str) -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("key"),
            credential: credential.as_bytes().to_vec(),
            handle: None,
            counter: 1,
            verifies: true,
            is_synced: false,
            origin: super::ISSUER,
        }
    }

    /// What `navigator.credentials.create` answers.
    pub(in crate::tests) fn create(&mut self, options: &Value) -> String {
        let handle = options["user"]["id"].as_str().expect("handle");
        self.handle = Some(base64url::decode(handle).expect("handle"));
        let client = self.client_data("webauthn.create", options);
        let data = self.data(options["rp"]["id"].as_str().expect("rp"), true);
        let length = u8::try_from(data.len()).expect("short");
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(length);
        object.extend(data);
        self.answer(json!({
            "clientDataJSON": base64url::encode(client),
            "attestationObject": base64url::encode(object),
        }))
    }

    /// What `navigator.credentials.get` answers.
    pub(in crate::tests) fn get(&self, options: &Value) -> String {
        let client = self.client_data("webauthn.get", options);
        let data = self.data(options["rpId"].as_str().expect("rp"), false);
        let mut message = data.clone();
        message.extend(digest(&SHA256, client.as_bytes()).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &message).expect("signature");
        let mut response = json!({
            "clientDataJSON": base64url::encode(client),
            "authenticatorData": base64url::encode(data),
            "signature": base64url::encode(signature.as_ref()),
        });
        if let Some(handle) = &self.handle {
            response["userHandle"] = base64url::encode(handle).into();
        }
        self.answer(response)
    }

    fn answer(&self, response: Value) -> String {
        let id = base64url::encode(&self.credential);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (&options["challenge"], self.origin);
        json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
            .to_string()
    }

    fn data(&self, rp: &str, is_new: bool) -> Vec<u8> {
        let flags = [
            (true, PRESENT),
            (self.verifies, VERIFIED),
            (self.is_synced, ELIGIBLE | BACKED_UP),
            (is_new, ATTESTED),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag);
        let mut data = digest(&SHA256, rp.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        if is_new {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.credential.len()).expect("short").to_be_bytes());
            data.extend(&self.credential);
            // COSE (RFC 9053 §7.1.1): EC2, ES256, P-256, x, y.
            let point = self.key.public_key().as_ref();
            data.extend(b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20");
            data.extend(&point[1..33]);
            data.extend(b"\x22\x58\x20");
            data.extend(&point[33..]);
        }
        data
    }
}
