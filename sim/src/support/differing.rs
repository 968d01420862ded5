//! Where two long texts part: each from the beginning of the first field that differs, shortened.

/// Letters that are shown of each.
const SHOWN: usize = 140;
/// How far before the difference its field may begin.
const FIELD: usize = 48;

/// Both texts from the first field that differs, with dots where something is left out.
pub fn differing(one: &str, other: &str) -> (String, String) {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let equal = one.iter().zip(&other).take_while(|(here, there)| here == there).count();
    // Alike up to there, so it is the beginning of a field in both.
    let is_boundary = |at: &usize| matches!(one.get(at.wrapping_sub(1)), Some('{' | '(' | '[' | ','));
    let from =
        (equal.saturating_sub(FIELD)..=equal).rev().find(is_boundary).unwrap_or(equal.saturating_sub(FIELD));
    (shown(&one, from, equal), shown(&other, from, equal))
}

fn shown(text: &[char], from: usize, differs_at: usize) -> String {
    let rest = &text[from.min(text.len())..];
    // Up to the end of the field that differs, or a little further.
    let end = (differs_at.saturating_sub(from)..rest.len())
        .find(|at| rest[*at] == ',')
        .map_or(rest.len(), |at| at + 1);
    let end = end.clamp(SHOWN / 2, SHOWN).min(rest.len());
    let told: String = rest[..end].iter().collect();
    let (before, after) = (if from > 0 { "... " } else { "" }, if end < rest.len() { " ..." } else { "" });
    format!("{before}{}{after}", told.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_begin_with_the_field_that_differs() {
        let text =
            |status: &str| format!("Record {{ id: \"p1\", created: {}, status: {status} }}", "9".repeat(80));
        let (one, other) = differing(&text("Running"), &text("Completed"));
        assert_eq!((one.as_str(), other.as_str()), ("... status: Running }", "... status: Completed }"));
    }

    #[test]
    fn short_texts_are_shown_whole_and_long_ones_cut() {
        assert_eq!(differing("true", "false"), ("true".to_owned(), "false".to_owned()));
        assert_eq!(differing("None", "None, more"), ("None".to_owned(), "None, more".to_owned()));
        let (one, other) = differing(&"x".repeat(500), &format!("y{}", "x".repeat(500)));
        assert!(one.len() <= SHOWN + 4 && one.ends_with(" ..."), "{one}");
        assert!(other.starts_with("yx") && other.ends_with(" ..."), "{other}");
        assert_eq!(differing("", "a"), (String::new(), "a".to_owned()));
    }
}
