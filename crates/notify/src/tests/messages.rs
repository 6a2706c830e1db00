//! Messages of syslog: nothing that a stranger chose can end a field or a line.

use remote::tls;
use serde_json::{Value, json};

use super::support::{NOW, finding};
use crate::notice::Notice;
use crate::syslog::transport::Transport;
use crate::syslog::{Format, Syslog};

fn line(format: Format, finding: &store::StoredFinding) -> String {
    let syslog = Syslog::new("auth.example", format, Transport::udp("127.0.0.1", 514));
    syslog.line(&Notice::of(finding), NOW)
}

fn message(line: &str) -> &str {
    let mut parts = line.splitn(8, ' ');
    parts.nth(7).expect("a message")
}

#[test]
fn a_message_has_the_header_of_rfc_5424() {
    for (severity, priority) in [("low", 85), ("medium", 84), ("high", 83), ("critical", 82)] {
        let line = line(Format::Cef, &finding("f1", severity));
        let process = std::process::id();
        let head = format!(
            "<{priority}>1 {NOW} auth.example tokenward {process} finding.created - CEF:0|"
        );
        assert!(line.starts_with(&head), "{line}");
    }
}

#[test]
fn a_host_that_is_no_field_of_a_header_becomes_one() {
    let transport = Transport::udp("127.0.0.1", 514);
    let notice = Notice::test(NOW);
    for (host, shown) in [("a b\n<1>", "ab<1>"), ("", "-"), ("ä", "-")] {
        let line = Syslog::new(host, Format::Cef, transport.clone()).line(&notice, NOW);
        assert_eq!(line.split(' ').nth(2), Some(shown));
    }
}

#[test]
fn cef_says_who_from_where_and_what() {
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "CEF:0|Tokenward|Tokenward|{version}|honeytoken|bait was used|8|rt=1790000000123 \
         externalId=f1 src=203.0.113.7 cat=certain act=block:ip cs1=ip:203.0.113.7@then \
         cs1Label=incident cs3=t1 cs3Label=token cn1=100 cn1Label=confidence msg=bait was used"
    );
    let line = line(Format::Cef, &finding("f1", "high"));
    assert_eq!(message(&line), expected);
}

#[test]
fn what_strangers_choose_stays_in_its_field() {
    let mut found = finding("f1", "low");
    found.finding["evidence"]["summary"] = json!("a|b=c\\d\ne\rf\u{0}g CEF:0|x");
    found.finding["client"] = json!("x=y\n<82>1 - - - - - - CEF:0|forged");
    found.finding["ip"] = json!("2001:db8::7");
    let line = line(Format::Cef, &found);
    assert_eq!(line.lines().count(), 1);
    assert!(line.contains(r"|a\|b=c\\d e f g CEF:0\|x|3|"), "{line}");
    assert!(line.contains(r"msg=a|b\=c\\d\ne\rf g CEF:0|x"), "{line}");
    assert!(line.contains(r"cs2=x\=y\n<82>1 - - - - - - CEF:0|forged cs2Label=client"), "{line}");
    assert!(line.contains("c6a2=2001:db8::7 c6a2Label=Source IPv6 Address"), "{line}");
}

#[test]
fn ocsf_is_a_detection_finding() {
    let mut found = finding("f1", "critical");
    found.finding["subject"] = json!("u1\n2");
    found.finding["class"] = json!("statistical");
    let line = line(Format::Ocsf, &found);
    assert_eq!(line.lines().count(), 1);
    let told: Value = serde_json::from_str(message(&line)).expect("JSON");
    for (pointer, value) in [
        ("/category_uid", json!(2)),
        ("/class_uid", json!(2004)),
        ("/activity_id", json!(1)),
        ("/type_uid", json!(200_401)),
        ("/time", json!(NOW.as_millis())),
        ("/severity_id", json!(5)),
        ("/confidence_score", json!(100)),
        ("/metadata/version", json!("1.5.0")),
        ("/metadata/product/vendor_name", json!("Tokenward")),
        ("/finding_info/uid", json!("f1")),
        ("/finding_info/title", json!("honeytoken")),
        ("/finding_info/analytic/type_id", json!(3)),
        ("/evidences/0/src_endpoint/ip", json!("203.0.113.7")),
        ("/evidences/0/actor/user/uid", json!("u1\n2")),
        ("/evidences/0/data/token", json!("t1")),
    ] {
        assert_eq!(told.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn a_receiver_of_tls_needs_a_name() {
    let trust = tls::trust(None).expect("system");
    assert!(Transport::tls("not a name", 6514, trust.clone()).is_err());
    let shown = Transport::tls("2001:db8::1", 6514, trust).expect("address").to_string();
    assert_eq!(shown, "tls://[2001:db8::1]:6514");
}
