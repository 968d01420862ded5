//! Numbers that stand for values in events: equal values have equal numbers, and others practically never do.

mod hash_steps;
mod text;

use serde::Serialize;

use crate::world::fingerprint::hash_steps::HashSteps;
pub use crate::world::fingerprint::text::hash_text;

/// Keys of maps are taken in order: whether a map of JSON keeps the order of insertion is a choice that any crate of the build
/// can make.
pub fn hash_of(value: &impl Serialize) -> u64 {
    let mut steps = HashSteps::new();
    match value.serialize(&mut steps) {
        Ok(()) => steps.hash(),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    /// The same hash, taken from the finished tree of JSON.
    fn hash_of_tree(hash: u64, value: &Value) -> u64 {
        let mixed = |part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match value {
            Value::Null => mixed(1),
            Value::Bool(truth) => mixed(2 + u64::from(*truth)),
            Value::Number(number) => match number.as_u64() {
                Some(number) => mixed(4).rotate_left(7) ^ number,
                None => mixed(hash_text(&number.to_string())),
            },
            Value::String(text) => mixed(hash_text(text)),
            Value::Array(values) => values.iter().fold(mixed(5), hash_of_tree),
            Value::Object(values) => {
                let in_order: BTreeMap<&String, &Value> = values.iter().collect();
                let key_and_value =
                    |hash, (key, value): (&String, &Value)| hash_of_tree(hash ^ hash_text(key), value);
                in_order.into_iter().fold(mixed(6), key_and_value)
            }
        }
    }

    #[test]
    fn the_order_of_a_list_counts_and_that_of_keys_does_not() {
        assert_ne!(hash_of(&json!([1, 2])), hash_of(&json!([2, 1])));
        assert_eq!(hash_of(&json!({"a": 1, "b": 2})), hash_of(&json!({"b": 2, "a": 1})));
    }

    /// One of every shape that serde knows, with keys out of order at several depths.
    #[derive(Serialize)]
    struct Shapes {
        zebra: Unit,
        ant: Option<char>,
        numbers: (u8, i64, i8, f32, f64, f64),
        bee: Vec<Shape>,
        absent: Option<u64>,
        by_number: BTreeMap<u32, bool>,
        #[serde(flatten)]
        others: BTreeMap<String, Value>,
        an_end: &'static [u8],
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Wrapped(String);

    #[derive(Serialize)]
    struct Pair(u64, bool);

    #[derive(Serialize)]
    enum Shape {
        Plain,
        Holds(Wrapped),
        Several(Pair, ()),
        Named { wide: Value, above: Tagged },
    }

    #[derive(Serialize)]
    #[serde(tag = "the_kind", rename_all = "snake_case")]
    enum Tagged {
        OfTwo { z: u64, a: u64 },
    }

    #[test]
    fn a_value_has_the_hash_of_its_tree_of_json() {
        let wide = json!({"c": [{"b": 1, "a": {}}], "a": -0.5, "b": {"y": null, "x": [[], "text"]}});
        let shapes = Shapes {
            zebra: Unit,
            ant: Some('ä'),
            numbers: (7, -9, 3, 0.1, 1e300, f64::NAN),
            bee: vec![
                Shape::Plain,
                Shape::Holds(Wrapped("a \"word\"".to_owned())),
                Shape::Several(Pair(u64::MAX, true), ()),
                Shape::Named { wide, above: Tagged::OfTwo { z: 1, a: 2 } },
            ],
            absent: None,
            by_number: BTreeMap::from([(10, true), (9, false)]),
            others: BTreeMap::from([("m".to_owned(), json!([1, 2])), ("b".to_owned(), json!(0))]),
            an_end: b"bytes",
        };
        let tree = serde_json::to_value(&shapes).expect("plain data has a JSON form");
        let expected = hash_of_tree(0x6c62_272e_07bb_0142, &tree);
        assert_eq!((hash_of(&shapes), hash_of(&tree)), (expected, expected));
    }
}
