//! The error for a name that is not known: the nearest known name if one is near, or else all of them.

/// How alike two names are, from 0 to 1, so that one is offered for the other.
const NEAR: f64 = 0.75;

/// "unknown law `x`; did you mean `y`?", or with all names in the place of the question.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown {what} `{name}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`; expected one of {}", known.join(", ")),
    }
}

/// The nearest known name; the first of equally near ones.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let alike = strsim::jaro_winkler(&name.to_lowercase(), candidate);
        if alike >= NEAR && best.is_none_or(|(other, _)| alike > other) {
            best = Some((alike, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["one-live-grant", "ends-once", "linearizable"];

    #[test]
    fn a_near_miss_is_answered_with_the_name_that_was_meant() {
        for (name, meant) in [
            ("one-live-grants", "one-live-grant"),
            ("linearisable", "linearizable"),
            ("Ends-Once", "ends-once"),
        ] {
            assert_eq!(
                unknown("law", name, &KNOWN),
                format!("unknown law `{name}`; did you mean `{meant}`?")
            );
        }
    }

    #[test]
    fn a_name_like_no_other_is_answered_with_all() {
        let all = "unknown law `xyz`; expected one of one-live-grant, ends-once, linearizable";
        assert_eq!(unknown("law", "xyz", &KNOWN), all);
    }
}
