//! The examples of RFC 7515 appendix A, RFC 7520 §3 and §4, and RFC 8037 appendix A.

use serde_json::Value;

use crate::base64url;
use crate::jwk::{BadKey, PublicJwk};
use crate::jws::{Jws, Kid};
use crate::key::{MacKey, PrivateKey, PublicKey};
use crate::term::MacAlgorithm;

/// The payload of RFC 7515 appendix A.
const PAYLOAD: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

fn public(jwk: &str) -> PublicKey {
    PublicKey::from_jwk(PublicJwk::parse(jwk.as_bytes()).expect("JWK")).expect("key")
}

#[test]
fn rfc_7515_a_1_hs256() {
    let secret = base64url::decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let key = MacKey::new(MacAlgorithm::Hs256, "k".into(), &secret.expect("secret")).expect("key");
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let jws = Jws::parse(token).expect("JWS");
    assert_eq!(jws.unverified_payload(), PAYLOAD.as_bytes());
    assert!(key.verifies(jws.signing_input(), jws.signature()));
    assert_eq!(key.sign(jws.signing_input()), jws.signature());
}

#[test]
fn rfc_7515_a_2_rs256() {
    let key = public(
        r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
    );
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let jws = Jws::parse(token).expect("JWS");
    assert!(key.verifies(jws.signing_input(), jws.signature()));
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = public(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let jws = Jws::parse(token).expect("JWS");
    assert!(key.verifies(jws.signing_input(), jws.signature()));
}

#[test]
fn rfc_8037_a_5_eddsa() {
    let key = public(
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    );
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jws = Jws::parse(token).expect("JWS");
    assert_eq!(jws.unverified_payload(), b"Example of Ed25519 signing");
    assert!(key.verifies(jws.signing_input(), jws.signature()));
}

/// RFC 7520 §3 and §4: what is within our algorithms verifies, and is signed again where signing
/// gives one answer; ES512 is refused.
#[test]
fn the_cookbook_of_rfc_7520() {
    let book: Value =
        serde_json::from_str(include_str!("../../../vectors/rfc7520.json")).expect("JSON");
    let mut verified = 0;
    for vector in book["vectors"].as_array().expect("list") {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        if !text("section").starts_with('4') {
            continue;
        }
        let (mut key, jws) = (vector["key"].clone(), Jws::parse(text("compact")).expect("form"));
        assert_eq!(jws.unverified_payload(), text("content").as_bytes());
        assert_eq!(jws.header().kid, Kid::Named(key["kid"].as_str().unwrap_or_default().into()));
        key["alg"] = text("alg").into();
        let key = key.to_string();
        if text("expect") == "algorithm" {
            assert!(PrivateKey::from_jwk(key.as_bytes()).is_err());
            continue;
        }
        let (message, signature) = (jws.signing_input(), jws.signature());
        if let Ok(secret) = MacKey::from_jwk(key.as_bytes()) {
            assert_eq!(secret.sign(message), signature);
        } else {
            let key = PrivateKey::from_jwk(key.as_bytes()).expect("key");
            assert!(key.public().verifies(message, signature));
            if text("alg") == "RS256" {
                assert_eq!(key.sign(message).expect("signature"), signature);
            }
        }
        verified += 1;
    }
    assert_eq!(verified, 3);
    let public = PublicJwk::parse(book["keys"]["3.3"].to_string().as_bytes()).expect("3.3");
    let private = PrivateKey::from_jwk(book["keys"]["3.4"].to_string().as_bytes()).expect("3.4");
    assert_eq!(*private.public().jwk(), public);
    assert_eq!(
        PublicJwk::parse(book["keys"]["3.1"].to_string().as_bytes()),
        Err(BadKey::Unsupported),
        "P-521 is not ours"
    );
}
