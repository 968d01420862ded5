//! Cases of answers-match-the-model.

use fencepost_sim::history::event::{MethodNo, Unjudged, What};
use fencepost::testing::reference_model::AnswerPart;

use crate::laws::history_builder::{ANN, Case, case, history};

pub fn cases() -> Vec<Case> {
    let judged = What::AnswersJudged { answers: 3, unjudged: Unjudged::None };
    let wrong = What::AnswerDiffers { method: MethodNo::of("ack_wake"), part: AnswerPart::Acceptance };
    vec![case(
        "every answer is the model's",
        history().at_registry(judged),
        history().by(ANN, wrong),
    )]
}
