//! Text of ours or of a user's, as it may stand in XML and in HTML: in an attribute or between tags.

use std::fmt::{self, Write};

/// Neither has a way to say most control characters: they are shown as what cannot be shown.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_char(letter),
            '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}'),
            letter if letter.is_control() => f.write_char('\u{fffd}'),
            letter => f.write_char(letter),
        })
    }
}
