//! Ids as text columns. Postgres keeps every character but NUL, which an id may contain. NUL and the character after it
//! are written as two characters each, so that byte order is kept and every usual id stands there as it is.

/// The text that stands for `id` in a column.
pub fn to_key(id: &str) -> String {
    if !id.contains(['\0', '\u{1}']) {
        return id.to_owned();
    }
    let mut key = String::with_capacity(id.len() + 8);
    for character in id.chars() {
        match character {
            '\0' => key.push_str("\u{1}\u{1}"),
            '\u{1}' => key.push_str("\u{1}\u{2}"),
            other => key.push(other),
        }
    }
    key
}

/// The id that a column stands for; `None` for a column that no id is written as.
pub fn from_key(key: &str) -> Option<String> {
    if !key.contains('\u{1}') {
        return Some(key.to_owned());
    }
    let mut id = String::with_capacity(key.len());
    let mut characters = key.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1}' => match characters.next()? {
                '\u{1}' => id.push('\0'),
                '\u{2}' => id.push('\u{1}'),
                _ => return None,
            },
            other => id.push(other),
        }
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::{from_key, to_key};

    #[test]
    fn every_id_comes_back_and_the_order_stays() {
        let mut ids =
            ["", "\0", "\0\0", "\0\u{1}", "\0a", "\u{1}", "\u{1}\0", "\u{1}\u{2}", "\u{2}", "a", "a\0", "ä"];
        ids.sort_unstable();
        let keys = ids.map(to_key);
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
        assert_eq!(keys.map(|key| from_key(&key)), ids.map(|id| Some(id.to_owned())));
    }

    #[test]
    fn a_usual_id_stands_as_it_is_and_no_key_has_a_nul() {
        assert_eq!(to_key("job 7/ä\n"), "job 7/ä\n");
        assert!(!to_key("a\0b").contains('\0'));
    }

    #[test]
    fn a_column_that_no_id_is_written_as_is_told_apart() {
        assert_eq!((from_key("a\u{1}"), from_key("a\u{1}b")), (None, None));
    }
}
