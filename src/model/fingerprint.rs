//! The fingerprint of a registration: what tells a retry from another process under the same id. It is taken of the
//! content as registered, whatever order its maps were written in, and is stored because later changes (a session's
//! deletion clears a wake target) must not turn a retry into a conflict.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::hex::to_hex;
use crate::model::process::ProcessRegistration;

impl ProcessRegistration {
    /// The same for equal content, in hexadecimal.
    pub fn content_hash(&self) -> String {
        let mut canonical = Vec::new();
        let content = serde_json::to_value(self).expect("plain data with string keys has a JSON form");
        write_canonical(&content, &mut canonical);
        to_hex(&Sha256::digest(&canonical))
    }
}

/// JSON with sorted keys. The parser's map may keep insertion order, when another crate asks it to.
fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (key, field) in fields {
                write_json(key, out);
                out.push(b':');
                write_canonical(field, out);
                out.push(b',');
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                write_canonical(item, out);
                out.push(b',');
            }
            out.push(b']');
        }
        scalar => write_json(scalar, out),
    }
}

fn write_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a key or a scalar has a JSON form, and memory takes it");
}

#[cfg(test)]
mod tests {
    use super::write_canonical;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        write_canonical(&serde_json::from_str(text).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_order_of_maps_does_not_matter_and_the_order_of_lists_does() {
        assert_eq!(canonical(r#"{"b":[1,{"d":2,"c":3}],"a":0}"#), r#"{"a":0,"b":[1,{"c":3,"d":2,},],}"#);
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    }

    /// Stored for ever: a change of this value turns every retry after an upgrade into a conflict.
    #[test]
    fn the_hash_of_a_content_never_changes() {
        let registration: crate::model::process::ProcessRegistration = serde_json::from_str(
            r#"{"id":"p","input":{"kind":"tool_call","tool":"grep","arguments":{"b":1,"a":[2]}},
                "disposition":"rerunnable","identity":{"kind":"job"},"provenance":{"originator":{"kind":"host"}}}"#,
        )
        .unwrap();
        assert_eq!(
            registration.content_hash(),
            "1f38c04045faa2d881be84870178ad18c9a7292c258b4ec911dd26762110453e"
        );
    }

    #[test]
    fn keys_cannot_pretend_to_be_structure() {
        assert_ne!(canonical(r#"{"a\":1,\"b":2}"#), canonical(r#"{"a":1,"b":2}"#));
    }
}
