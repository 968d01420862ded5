//! The parts of an answer that are compared one by one.

macro_rules! parts {
    ($($part:ident, $name:literal, $path:literal;)*) => {
        /// One part of an answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum AnswerPart {
            $($part,)*
        }

        impl AnswerPart {
            pub const ALL: &'static [Self] = &[$(Self::$part,)*];

            /// The part's name, for use within a sentence.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$part => $name,)*
                }
            }

            /// Where it stands in the written form of an answer: the type, and the field of it.
            pub fn path(self) -> &'static str {
                match self {
                    $(Self::$part => $path,)*
                }
            }
        }
    };
}

parts! {
    Acceptance, "whether it is accepted, and the kind of refusal", "reply";
    RefusalDetail, "what the refusal names", "error.*";
    Truth, "the yes or no", "truth";
    Count, "the count", "count";
    Presence, "whether anything is there", "option";
    Members, "which entries are listed, and in which order", "list";

    Registration, "the registration", "record.registration";
    RegistrationHash, "the hash of the registration", "record.registration_hash";
    CreatedAt, "when it was registered", "record.created_at_ms";
    UpdatedAt, "when it was changed last", "record.updated_at_ms";
    ExternalRef, "the external reference", "record.external_ref";
    FirstStarted, "the first start", "record.first_started";
    AbandonRequest, "the abandon request", "record.abandon_request";
    Wait, "the wait", "record.wait";
    Status, "the status with its output", "record.status";
    StartAnswer, "whose start it is", "first_start.answer";

    HandleSession, "the handle's session", "handle.session_id";
    HandleProcess, "the handle's process", "handle.process_id";
    HandleDescriptor, "the handle's descriptor", "handle.descriptor";

    EventProcess, "the event's process", "event.process_id";
    EventSequence, "the event's sequence", "event.sequence";
    EventType, "the event's type", "event.event_type";
    EventPayload, "the event's payload", "event.payload";
    EventReplayKey, "the event's replay key", "event.replay_key";
    EventWake, "the event's wake", "event.wake";
    EventTime, "when the event occurred", "event.occurred_at_ms";
    Replayed, "whether the event stood already", "appended.replayed";
    WakeDelivery, "the delivery of the wake", "appended.wake_delivery";

    ClaimOutcome, "whether the claim acquired the lease", "claim.outcome";
    LeaseSchema, "the version of the lease's shape", "lease.schema_version";
    LeaseProcess, "the lease's process", "lease.process_id";
    LeaseOwner, "the lease's owner", "lease.owner";
    LeaseToken, "the lease's token", "lease.lease_token";
    LeaseFence, "the lease's fence", "lease.fencing_token";
    LeaseClaimedAt, "when the lease was claimed", "lease.claimed_at_epoch_ms";
    LeaseExpiry, "when the lease expires", "lease.expires_at_epoch_ms";

    PrunedProcesses, "how many processes were pruned", "prune.pruned_processes";
    PrunedEvents, "how many events were pruned", "prune.pruned_events";
    DeletedSession, "the session that was deleted", "session.session_id";
    RevokedHandles, "how many handles were revoked", "session.revoked_handle_count";
    ClearedWakes, "how many wake targets were cleared", "session.deleted_wake_count";
    Orphaned, "the orphaned processes", "session.orphaned_process_ids";
    Preserved, "the preserved processes", "session.preserved_process_ids";
}
