//! The law tokens-are-drawn: a token cannot be guessed and never repeats. The recorder hashes each and counts the entropy.

use std::collections::BTreeSet;

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Law, LawCard, unheard};

#[derive(Default)]
pub struct TokensAreDrawn {
    tokens: BTreeSet<u64>,
}

/// 128 bits.
const TOKEN_BYTES: u64 = 16;

impl Law for TokensAreDrawn {
    const CARD: LawCard = LawCard {
        name: "tokens-are-drawn",
        sentence: "no token repeats in a run, and each new grant draws at least 16 bytes of entropy",
        hears: &[EventKind::TokenDrawn],
        needs: &[],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["same-token"],
        explain,
    };

    fn see(&mut self, _: &Event, what: What, case: &mut Case) {
        let What::TokenDrawn { token, entropy_bytes } = what else { unheard(what) };
        case.meet();
        if !self.tokens.insert(token) {
            case.breach(|| {
                "a new grant got the token of an earlier one; right: a token that was \
                            never drawn"
                    .to_owned()
            });
        }
        if entropy_bytes < TOKEN_BYTES {
            case.breach(|| {
                format!(
                    "a new grant drew {entropy_bytes} bytes of entropy; right: at \
                                    least {TOKEN_BYTES}"
                )
            });
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let What::TokenDrawn { token: repeated, .. } = evidence.breach.what() else { return None };
    evidence.latest(
        "an earlier grant had the same token",
        |event| matches!(event.what(), What::TokenDrawn { token, .. } if token == repeated),
    )
}
