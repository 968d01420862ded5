//! Where two values part, from their debug text: in each value the fields that differ come first, then those that readers ask
//! for, and what does not fit is left out. Brackets stay balanced.

/// Letters that are shown of each.
const SHOWN: usize = 140;
/// Letters that are shown of a text that is no value, or of one long word.
const LEAST: usize = 12;
/// Fields that say most, after those that differ.
const FIRST: [&str; 5] = ["fencing_token", "expires_at_epoch_ms", "owner", "owner_id", "status"];
/// Says nothing, unless it differs.
const DULL: &str = "schema_version";
const LEFT_OUT: &str = "..";

/// Both texts, shortened.
pub fn differing(one: &str, other: &str) -> (String, String) {
    let (ours, theirs) = (Value::read(one), Value::read(other));
    (ours.beside(&theirs).shown(SHOWN), theirs.beside(&ours).shown(SHOWN))
}

/// A value as its debug text has it. A text that ends early is closed where it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Word(String),
    /// A head, which may be empty, and parts between brackets.
    Whole {
        head: String,
        open: char,
        parts: Vec<ValuePart>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ValuePart {
    /// Empty for a part without a name.
    name: String,
    value: Value,
}

struct Reader<'a>(std::iter::Peekable<std::str::Chars<'a>>);

impl Reader<'_> {
    /// A word, up to a bracket or a comma; a name also ends at its colon. Strings are words, whatever is in them.
    fn word(&mut self, is_name: bool) -> String {
        let (mut word, mut is_string) = (String::new(), false);
        while let Some(letter) = self.0.peek().copied() {
            let is_end =
                matches!(letter, '{' | '(' | '[' | '}' | ')' | ']' | ',') || is_name && letter == ':';
            if is_end && !is_string {
                break;
            }
            self.0.next();
            word.push(letter);
            match letter {
                '"' => is_string = !is_string,
                '\\' if is_string => word.extend(self.0.next()),
                _ => {}
            }
        }
        word.trim().to_owned()
    }

    fn part(&mut self) -> ValuePart {
        let word = self.word(true);
        if self.0.peek() == Some(&':') {
            self.0.next();
            let head = self.word(false);
            return ValuePart { name: word, value: self.value(head) };
        }
        ValuePart { name: String::new(), value: self.value(word) }
    }

    fn value(&mut self, head: String) -> Value {
        let Some(open) = self.0.next_if(|letter| matches!(letter, '{' | '(' | '[')) else {
            return Value::Word(head);
        };
        let mut parts = Vec::new();
        loop {
            let part = self.part();
            if !part.name.is_empty() || part.value != Value::Word(String::new()) {
                parts.push(part);
            }
            // After a part come a comma, the closing bracket, or the end of the text.
            while self.0.next_if(|letter| letter.is_whitespace()).is_some() {}
            match self.0.next() {
                Some(',') => {}
                _ => return Value::Whole { head, open, parts },
            }
        }
    }
}

impl Value {
    fn read(text: &str) -> Self {
        let mut reader = Reader(text.chars().peekable());
        let head = reader.word(false);
        let value = reader.value(head);
        // What goes on after its end is no value: it is shown as it stands.
        if reader.0.next().is_some() { Self::Word(text.to_owned()) } else { value }
    }

    /// With its parts in the order in which they are worth showing beside the other value.
    fn beside(&self, other: &Self) -> Self {
        let (Self::Whole { head, open, parts }, Self::Whole { parts: others, .. }) = (self, other) else {
            return self.clone();
        };
        let twin = |place: usize, part: &ValuePart| match part.name.is_empty() {
            true => others.get(place),
            false => others.iter().find(|other| other.name == part.name),
        };
        let mut ranked: Vec<(usize, ValuePart)> = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let twin = twin(place, part);
            let is_same = twin == Some(part);
            if is_same && part.name == DULL {
                continue;
            }
            let first = FIRST.iter().position(|name| *name == part.name).unwrap_or(FIRST.len());
            let value = twin.map_or_else(|| part.value.clone(), |twin| part.value.beside(&twin.value));
            // Parts without a name are a list, whose order says something: it begins at the first that differs.
            let rank = match (is_same, part.name.is_empty()) {
                (false, _) => 0,
                (true, true) if ranked.iter().any(|(rank, _)| *rank == 0) => 0,
                (true, _) => 1 + first,
            };
            ranked.push((rank, ValuePart { name: part.name.clone(), value }));
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        Self::Whole {
            head: head.clone(),
            open: *open,
            parts: ranked.into_iter().map(|(_, part)| part).collect(),
        }
    }

    /// In so many letters, or a few more.
    fn shown(&self, room: usize) -> String {
        let (head, open, parts) = match self {
            Self::Word(word) => return cut(word, room.max(LEAST)),
            Self::Whole { head, open, parts } => (head, *open, parts),
        };
        let (close, space) = match open {
            '{' => ('}', " "),
            '(' => (')', ""),
            _ => (']', ""),
        };
        let before = match (head.is_empty(), open) {
            (false, '{') => format!("{head} {{"),
            _ => format!("{head}{open}"),
        };
        let mut text = format!("{before}{space}");
        for (place, part) in parts.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            let name = if part.name.is_empty() { String::new() } else { format!("{}: ", part.name) };
            let left = room.saturating_sub(text.chars().count() + comma.len() + name.len() + 2);
            let value = part.value.shown(left);
            // The first part is always shown, as far as it goes.
            if place > 0 && value.chars().count() > left {
                text.push_str(comma);
                text.push_str(LEFT_OUT);
                break;
            }
            text.push_str(&format!("{comma}{name}{value}"));
        }
        text.push_str(if parts.is_empty() { "" } else { space });
        text.push(close);
        text.replace("{  }", "{}").replace("{ }", "{}")
    }
}

fn cut(word: &str, room: usize) -> String {
    match word.char_indices().nth(room) {
        None => word.to_owned(),
        Some((end, _)) => format!("{} ...", word[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_begin_with_the_field_that_differs() {
        let text =
            |status: &str| format!("Record {{ id: \"p1\", created: {}, status: {status} }}", "9".repeat(90));
        let (one, other) = differing(&text("Running"), &text("Completed"));
        assert!(one.starts_with("Record { status: Running, id: \"p1\", "), "{one}");
        assert!(other.starts_with("Record { status: Completed, id: \"p1\", "), "{other}");
    }

    #[test]
    fn of_a_lease_owner_fence_and_expiry_are_shown_and_its_version_is_not() {
        let text = |fence: u64| {
            format!(
                "Claim(Acquired(ProcessLease {{ schema_version: 1, process_id: \"p1\", owner: LeaseOwnerIdentity {{ owner_id: \
                 \"worker-1\", incarnation_id: \"a, b\", liveness: Process {{ pid: 17 }} }}, lease_token: \"0f0f0f0f0f0f\", \
                 fencing_token: {fence}, claimed_at_epoch_ms: 5, expires_at_epoch_ms: 9 }}))"
            )
        };
        let (one, other) = differing(&text(1), &text(2));
        assert!(
            one.starts_with(
                "Claim(Acquired(ProcessLease { fencing_token: 1, expires_at_epoch_ms: 9, owner: "
            ),
            "{one}"
        );
        assert!(other.contains("fencing_token: 2") && !other.contains("schema_version"), "{other}");
        for text in [one, other] {
            assert!(text.ends_with("}))") && text.chars().count() < SHOWN + 20, "{text}");
            let count = |letter| text.matches(letter).count();
            assert_eq!([count('{'), count('(')], [count('}'), count(')')], "{text}");
        }
        let (one, _) =
            differing("Lease { schema_version: 1, fence: 2 }", "Lease { schema_version: 2, fence: 2 }");
        assert_eq!(one, "Lease { schema_version: 1, fence: 2 }");
    }

    #[test]
    fn a_text_that_ends_early_is_closed_and_a_list_begins_where_it_differs() {
        let (one, other) = differing(
            "Appended(Result { event: 1, replayed: true })",
            "Appended(Result { event: 1, replayed: false",
        );
        assert_eq!(one, "Appended(Result { replayed: true, event: 1 })");
        assert_eq!(other, "Appended(Result { replayed: false, event: 1 })");
        assert_eq!(differing("[1, 2]", "[]"), ("[1, 2]".to_owned(), "[]".to_owned()));
        assert_eq!(differing("Events([])", "Events([E { at: 1 }])").1, "Events([E { at: 1 }])");
    }

    #[test]
    fn a_string_or_a_time_with_colons_is_one_word() {
        let text =
            |at: u8| format!("Event {{ at: 2024-01-01T00:00:{at:02}Z, key: Some(\"a: {{b\"), wake: None }}");
        let (one, other) = differing(&text(1), &text(2));
        assert_eq!(one, text(1));
        assert_eq!(other, text(2));
    }

    #[test]
    fn short_texts_are_shown_whole_and_long_ones_cut() {
        assert_eq!(differing("true", "false"), ("true".to_owned(), "false".to_owned()));
        assert_eq!(differing("None", "None, more"), ("None".to_owned(), "None, more".to_owned()));
        let (one, other) = differing(&"x".repeat(500), &format!("y{}", "x".repeat(500)));
        assert!(one.len() <= SHOWN + 4 && one.ends_with(" ..."), "{one}");
        assert!(other.starts_with("yx") && other.ends_with(" ..."), "{other}");
        assert_eq!(differing("", "a"), (String::new(), "a".to_owned()));
        assert_eq!(differing("refused: it's over: by 3 ms", "Done(())").0, "refused: it's over: by 3 ms");
    }
}
