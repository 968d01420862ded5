//! Cases of log-is-dense.

use crate::laws::history_builder::{Case, case, history};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "a life's log may begin anywhere, and has no holes",
            history().log_read(0, 2).log_shown(5, 50).log_shown(6, 60).log_read(5, 1).log_shown(6, 60),
            history().log_read(0, 2).log_shown(5, 50).log_shown(7, 70),
        ),
        case(
            "a read from a cursor begins right after it",
            history().log(0, 4).log(1, 4).log(3, 4),
            history().log(0, 4).log(3, 3).log_shown(5, 50),
        ),
        case(
            "a read from the middle of the log can be repeated",
            history().log(1, 3).log(1, 3),
            history().log(1, 3).log_read(1, 2).log_shown(2, 20).log_shown(4, 40),
        ),
        case(
            "an event never changes once it was read",
            history().log_read(3, 1).log_shown(4, 40),
            history().log_read(3, 1).log_shown(4, 40).log_read(3, 1).log_shown(4, 41),
        ),
    ]
}
