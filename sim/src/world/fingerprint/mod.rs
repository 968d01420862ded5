//! Numbers that stand for values in events: equal values have equal numbers, and others practically never do.

use serde::Serialize;
use serde_json::Value;

pub fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Keys of maps are taken in order: whether a map of JSON keeps the order of insertion is a choice that any crate of the build
/// can make.
pub fn hash_of(value: &impl Serialize) -> u64 {
    serde_json::to_value(value).map_or(0, |value| fold(0x6c62_272e_07bb_0142, &value))
}

fn fold(hash: u64, value: &Value) -> u64 {
    let mixed = |part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match value {
        Value::Null => mixed(1),
        Value::Bool(truth) => mixed(2 + u64::from(*truth)),
        Value::Number(number) => match number.as_u64() {
            Some(number) => mixed(4).rotate_left(7) ^ number,
            None => mixed(hash_text(&number.to_string())),
        },
        Value::String(text) => mixed(hash_text(text)),
        Value::Array(values) => values.iter().fold(mixed(5), fold),
        Value::Object(values) => {
            let mut keys: Vec<&String> = values.keys().collect();
            keys.sort_unstable();
            keys.into_iter().fold(mixed(6), |hash, key| fold(hash ^ hash_text(key), &values[key.as_str()]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_list_counts_and_that_of_keys_does_not() {
        assert_ne!(hash_of(&serde_json::json!([1, 2])), hash_of(&serde_json::json!([2, 1])));
        assert_eq!(
            hash_of(&serde_json::json!({"a": 1, "b": 2})),
            hash_of(&serde_json::json!({"b": 2, "a": 1}))
        );
    }
}
