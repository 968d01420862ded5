//! The methods that a plan can have a host call, by their own names: all that are called without a lease.

use std::fmt;
use std::str::FromStr;

macro_rules! host_calls {
    ($($call:ident, $name:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum HostCall {
            $($call,)*
        }

        impl HostCall {
            pub const ALL: &'static [Self] = &[$(Self::$call,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$call => $name,)*
                }
            }
        }
    };
}

host_calls! {
    GetProcess, "get_process";
    ReadProcess, "read_process";
    ListProcesses, "list_processes";
    ListNonTerminal, "list_non_terminal";
    GetProcessLease, "get_process_lease";
    EventsAfter, "events_after";
    WakeEventsAfter, "wake_events_after";
    CountEventsThrough, "count_events_through";
    RecentEvents, "recent_events";
    HasHandleGrant, "has_handle_grant";
    HandleGrantsForProcess, "handle_grants_for_process";
    ListHandleGrants, "list_handle_grants";
    ListLiveHandleGrants, "list_live_handle_grants";
    GrantHandle, "grant_handle";
    RevokeHandle, "revoke_handle";
    TransferHandleGrants, "transfer_handle_grants";
    DeleteSession, "delete_session_process_state";
    AppendEvent, "append_event";
    AckWake, "ack_wake";
    SetExternalRef, "set_external_ref";
    RecordFirstStarted, "record_first_started";
    SetProcessWait, "set_process_wait";
    ClearProcessWait, "clear_process_wait";
    CompleteProcess, "complete_process";
    RequestAbandon, "request_process_abandon";
    Prune, "prune_terminal_processes";
}

impl fmt::Display for HostCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HostCall {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|call| call.name() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|call| call.name()).collect();
            format!("unknown method `{text}`; expected one of: {}", names.join(", "))
        })
    }
}
