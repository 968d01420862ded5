//! Whole numbers as plans write them: digits alone, and no zero before another digit. So a plan has one text only, and what
//! reads back was written so.

use std::str::FromStr;

/// None for whatever is not written as the number itself would be.
pub fn unsigned<N: FromStr>(text: &str) -> Option<N> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// A number with its sign, which stands before a zero, too.
pub fn signed(text: &str) -> Option<i64> {
    let (sign, size) = match text.split_at_checked(1)? {
        ("+", size) => (1, size),
        ("-", size) if size != "0" => (-1, size),
        _ => return None,
    };
    unsigned::<i64>(size).map(|size| sign * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_from_its_own_text_only() {
        assert_eq!([unsigned("0"), unsigned("10"), unsigned("255")], [Some(0_u8), Some(10), Some(255)]);
        for text in ["", "00", "01", "+1", "-1", "1 ", "1_0", "256", "x"] {
            assert_eq!(unsigned::<u8>(text), None, "{text}");
        }
        assert_eq!([signed("+0"), signed("+12"), signed("-12")], [Some(0), Some(12), Some(-12)]);
        for text in ["", "+", "12", "-0", "+01", "--1", "+-1", "+x"] {
            assert_eq!(signed(text), None, "{text}");
        }
    }
}
