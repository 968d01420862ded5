//! State that several laws keep: values by process and by grant, the stored lease, and the names of grants.

pub mod by_grant;
pub mod by_process;
pub mod fence_names;
pub mod stored_lease;
