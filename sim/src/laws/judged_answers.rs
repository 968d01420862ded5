//! Which law judges which part of which answer: one line a method. Nearly all are judged by
//! [`answers_match_the_model`](super::answers_match_the_model); what its model takes from the answer is judged elsewhere.

use fencepost::testing::reference_model::AnswerPart;
use fencepost::testing::reference_model::AnswerPart::*;

use crate::laws::answers_match_the_model::AnswersMatchTheModel;
use crate::laws::law::Law;

/// One method, and the parts of its answer.
pub struct JudgedAnswer {
    pub method: &'static str,
    pub parts: &'static [&'static [AnswerPart]],
    /// Parts that another law judges.
    pub elsewhere: &'static [(AnswerPart, &'static str)],
}

impl JudgedAnswer {
    pub fn parts(&self) -> impl Iterator<Item = AnswerPart> {
        self.parts.iter().copied().flatten().copied()
    }

    /// The law that judges this part.
    pub fn law_of(&self, part: AnswerPart) -> Option<&'static str> {
        let elsewhere = self.elsewhere.iter().find(|(judged, _)| *judged == part).map(|(_, law)| *law);
        let is_here = self.parts().any(|own| own == part);
        is_here.then(|| elsewhere.unwrap_or(AnswersMatchTheModel::CARD.name))
    }
}

/// The parts to judge of a method that may refuse.
const REFUSAL: &[AnswerPart] = &[Acceptance, RefusalDetail];
/// The parts to judge of a method that refuses only invalid arguments.
const ANY: &[AnswerPart] = &[Acceptance];
const RECORD: &[AnswerPart] = &[
    Registration,
    RegistrationHash,
    CreatedAt,
    UpdatedAt,
    ExternalRef,
    FirstStarted,
    AbandonRequest,
    Wait,
    Status,
];
const HANDLE: &[AnswerPart] = &[HandleSession, HandleProcess, HandleDescriptor];
const EVENT: &[AnswerPart] =
    &[EventProcess, EventSequence, EventType, EventPayload, EventReplayKey, EventWake, EventTime];
const APPENDED: &[AnswerPart] = &[Replayed, WakeDelivery];
const LEASE: &[AnswerPart] =
    &[LeaseSchema, LeaseProcess, LeaseOwner, LeaseToken, LeaseFence, LeaseClaimedAt, LeaseExpiry];
const LIST: &[AnswerPart] = &[Members];
const OPTION: &[AnswerPart] = &[Presence];
const CLAIM: &[AnswerPart] = &[ClaimOutcome];
const PRUNE: &[AnswerPart] = &[PrunedProcesses, PrunedEvents];
const SESSION: &[AnswerPart] = &[DeletedSession, RevokedHandles, ClearedWakes, Orphaned, Preserved];

/// A new grant's token is drawn, and its fence grows by as much as the registry likes.
const NEW_GRANT: &[(AnswerPart, &str)] =
    &[(LeaseToken, "tokens-are-drawn"), (LeaseFence, "fences-only-grow")];

const fn line(method: &'static str, parts: &'static [&'static [AnswerPart]]) -> JudgedAnswer {
    JudgedAnswer { method, parts, elsewhere: &[] }
}

pub static ANSWERS: &[JudgedAnswer] = &[
    line("get_process", &[ANY, OPTION, RECORD]),
    line("register_process", &[REFUSAL, RECORD]),
    line("set_external_ref", &[REFUSAL, RECORD]),
    line("grant_handle", &[REFUSAL, HANDLE]),
    line("revoke_handle", &[ANY]),
    line("transfer_handle_grants", &[REFUSAL]),
    line("list_handle_grants", &[ANY, LIST, HANDLE, RECORD]),
    line("list_live_handle_grants", &[ANY, LIST, HANDLE, RECORD]),
    line("has_handle_grant", &[ANY, &[Truth]]),
    line("handle_grants_for_process", &[REFUSAL, LIST, HANDLE]),
    line("delete_session_process_state", &[ANY, SESSION]),
    line("append_event", &[REFUSAL, APPENDED, EVENT]),
    line("events_after", &[REFUSAL, LIST, EVENT]),
    line("wake_events_after", &[REFUSAL, LIST, EVENT]),
    line("count_events_through", &[REFUSAL, &[Count]]),
    line("recent_events", &[REFUSAL, LIST, EVENT]),
    line("ack_wake", &[REFUSAL]),
    line("complete_process", &[REFUSAL, RECORD]),
    line("record_first_started", &[REFUSAL, RECORD]),
    line("request_process_abandon", &[REFUSAL, RECORD]),
    line("set_process_wait", &[REFUSAL, RECORD]),
    line("clear_process_wait", &[REFUSAL, RECORD]),
    line("read_process", &[ANY, OPTION, RECORD]),
    line("list_processes", &[ANY, LIST, RECORD]),
    line("list_non_terminal", &[ANY, LIST, RECORD]),
    JudgedAnswer { method: "claim_process_lease", parts: &[REFUSAL, CLAIM, LEASE], elsewhere: NEW_GRANT },
    JudgedAnswer { method: "reclaim_process_lease", parts: &[REFUSAL, CLAIM, LEASE], elsewhere: NEW_GRANT },
    JudgedAnswer {
        method: "renew_process_lease",
        parts: &[REFUSAL, LEASE],
        elsewhere: &[(LeaseExpiry, "leases-last-as-asked")],
    },
    line("get_process_lease", &[ANY, OPTION, LEASE]),
    line("complete_process_lease", &[ANY]),
    line("prune_terminal_processes", &[ANY, PRUNE]),
    line("complete_process_with_lease", &[REFUSAL, RECORD]),
    line("append_event_with_lease", &[REFUSAL, APPENDED, EVENT]),
    line("record_first_started_with_lease", &[REFUSAL, &[StartAnswer], RECORD]),
    line("set_process_wait_with_lease", &[REFUSAL, RECORD]),
    line("clear_process_wait_with_lease", &[REFUSAL, RECORD]),
];

/// The line of this method.
pub fn of(method: &str) -> Option<&'static JudgedAnswer> {
    ANSWERS.iter().find(|answer| answer.method == method)
}
