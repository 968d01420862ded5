//! The only way to clocks, sleep, tasks, entropy and the liveness of others. Everything in this crate takes an
//! [`Environment`]. [`System`] is the one for production, on tokio; the simulation supplies its own and needs nothing
//! else replaced.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use crate::model::lease::{LeaseOwnerIdentity, LeaseOwnerLiveness};

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One node's view of the world.
pub trait Environment: Send + Sync {
    /// The wall clock, in milliseconds since the epoch. It may step, back too.
    fn now_epoch_ms(&self) -> u64;

    /// A clock that never steps and counts the time the machine was suspended. Only differences mean anything.
    fn monotonic(&self) -> Duration;

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    fn spawn(&self, task: BoxFuture<'static, ()>);

    /// Fills `bytes` from a source that never repeats itself, across restarts too.
    fn fill_entropy(&self, bytes: &mut [u8]);

    /// True if the owner can be proved dead from here. In doubt: false.
    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool;
}

/// Production: the machine's clocks and entropy, and tokio's tasks and timers.
#[derive(Clone)]
pub struct System {
    runtime: tokio::runtime::Handle,
}

impl System {
    /// Tasks run on the tokio runtime this is called on; outside of any, on one that the process keeps for them.
    pub fn new() -> std::io::Result<Self> {
        static FALLBACK: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            return Ok(Self { runtime });
        }
        if FALLBACK.get().is_none() {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
            // When two threads race here the loser's runtime must not be dropped inside an async context.
            if let Err(spare) = FALLBACK.set(runtime) {
                spare.shutdown_background();
            }
        }
        match FALLBACK.get() {
            Some(runtime) => Ok(Self { runtime: runtime.handle().clone() }),
            None => Err(std::io::Error::other("no runtime for background tasks")),
        }
    }
}

impl Environment for System {
    #[allow(clippy::disallowed_methods, reason = "this is the seam")]
    fn now_epoch_ms(&self) -> u64 {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        // Not `Instant`: on Linux it stands still while the machine sleeps, and a lease does not.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the seam")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let _inside = self.runtime.enter();
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(self.runtime.spawn(task));
    }

    fn fill_entropy(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system always has entropy once it has booted");
    }

    fn is_definitely_dead(&self, owner: &LeaseOwnerIdentity) -> bool {
        local_process::is_definitely_dead(&owner.liveness)
    }
}

/// The answer of `call`, unless the instant comes first: it is asked for before each poll.
pub async fn before<T>(
    deadline: Duration,
    environment: &(impl Environment + ?Sized),
    call: impl Future<Output = T>,
) -> Option<T> {
    let mut call = pin!(call);
    let mut alarm: Option<BoxFuture<'static, ()>> = None;
    poll_fn(|task| {
        let left = deadline.saturating_sub(environment.monotonic());
        if left.is_zero() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(answer) = call.as_mut().poll(task) {
            return Poll::Ready(Some(answer));
        }
        // Only a call that has to wait needs an alarm.
        let alarm = alarm.get_or_insert_with(|| environment.sleep(left));
        alarm.as_mut().poll(task).map(|()| None)
    })
    .await
}

/// The evidence by which others can tell that this process is dead; `Opaque` where the system cannot tell.
pub fn local_liveness() -> Arc<LeaseOwnerLiveness> {
    Arc::new(local_process::own_liveness().unwrap_or(LeaseOwnerLiveness::Opaque))
}

/// Linux's account of which processes live. A pid alone proves nothing: it is reused, and other hosts, other boots and
/// other pid namespaces have the same ones.
mod local_process {
    use super::LeaseOwnerLiveness;

    pub fn own_liveness() -> Option<LeaseOwnerLiveness> {
        let pid = std::process::id();
        let process_start = read_stat(pid)?.process_start;
        Some(LeaseOwnerLiveness::LocalProcess {
            host_id: host_id()?,
            boot_id: boot_id()?,
            pid,
            process_start,
        })
    }

    pub fn is_definitely_dead(liveness: &LeaseOwnerLiveness) -> bool {
        let LeaseOwnerLiveness::LocalProcess { host_id: host, boot_id: boot, pid, process_start } = liveness
        else {
            return false;
        };
        if host_id().as_ref() != Some(host) || boot_id().as_ref() != Some(boot) {
            return false;
        }
        match read_stat(*pid) {
            Some(stat) => stat.process_start != *process_start || stat.has_ended,
            // `/proc` may hide other users' processes; the kernel's own answer does not.
            None => {
                let pid = i32::try_from(*pid).ok().and_then(rustix::process::Pid::from_raw);
                pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
            }
        }
    }

    fn host_id() -> Option<String> {
        let machine = read_word("/etc/machine-id")
            .or_else(|| Some(rustix::system::uname().nodename().to_str().ok()?.to_owned()))
            .filter(|id| !id.is_empty())?;
        // Pids count in their own namespace and starts in theirs: in another one the same numbers mean nothing.
        let namespace = |kind: &str| {
            let link = std::fs::read_link(format!("/proc/self/ns/{kind}")).ok()?;
            Some(link.to_str()?.to_owned())
        };
        Some(format!("{machine}/{}/{}", namespace("pid")?, namespace("time").unwrap_or_default()))
    }

    fn boot_id() -> Option<String> {
        read_word("/proc/sys/kernel/random/boot_id")
    }

    fn read_word(path: &str) -> Option<String> {
        let text = std::fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned()).filter(|word| !word.is_empty())
    }

    pub(super) struct Stat {
        pub(super) process_start: String,
        pub(super) has_ended: bool,
    }

    /// Fields 3, 20 and 22 of `/proc/<pid>/stat`. The second field is a name in parentheses and may contain both.
    fn read_stat(pid: u32) -> Option<Stat> {
        parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    pub(super) fn parse_stat(stat: &str) -> Option<Stat> {
        let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
        let (state, threads, start) = (fields.first()?, fields.get(17)?, fields.get(19)?);
        // A first thread that has ended shows as a zombie while the others still run.
        let has_ended = matches!(*state, "Z" | "X") && threads.parse::<u64>().is_ok_and(|count| count <= 1);
        Some(Stat { process_start: (*start).to_owned(), has_ended })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn dead(liveness: LeaseOwnerLiveness) -> bool {
        let liveness = Arc::new(liveness);
        let owner =
            LeaseOwnerIdentity { owner_id: "worker".into(), incarnation_id: "first".into(), liveness };
        System::new().unwrap().is_definitely_dead(&owner)
    }

    /// The host, boot and pid of this process.
    fn local_process() -> (String, String, u32) {
        match LeaseOwnerLiveness::clone(&local_liveness()) {
            LeaseOwnerLiveness::LocalProcess { host_id, boot_id, pid, .. } => (host_id, boot_id, pid),
            LeaseOwnerLiveness::Opaque => panic!("this machine tells which processes live"),
        }
    }

    /// A process of this machine that was killed, and that nobody has waited for yet.
    fn killed_child() -> (Child, LeaseOwnerLiveness) {
        let (host_id, boot_id, _) = local_process();
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let pid = child.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let start = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().to_owned();
        let liveness = LeaseOwnerLiveness::LocalProcess { host_id, boot_id, pid, process_start: start };
        assert!(!dead(liveness.clone()));
        child.kill().unwrap();
        (child, liveness)
    }

    #[test]
    fn a_running_process_is_not_dead() {
        assert!(!dead(LeaseOwnerLiveness::clone(&local_liveness())));
    }

    #[test]
    fn a_process_that_was_killed_is_dead_before_and_after_it_is_reaped() {
        let (mut child, liveness) = killed_child();
        let stat = format!("/proc/{}/stat", child.id());
        // The kill is on its way until the process shows as a zombie.
        while !std::fs::read_to_string(&stat).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }
        assert!(dead(liveness.clone()));
        child.wait().unwrap();
        assert!(dead(liveness));
    }

    #[test]
    fn a_first_thread_that_ended_is_no_dead_process_while_others_run() {
        let stat = |state: char, threads: u32| {
            let line = format!("7 (a) b) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 {threads} 0 4711 99");
            let stat = local_process::parse_stat(&line).expect("it has all its fields");
            (stat.has_ended, stat.process_start)
        };
        assert_eq!(stat('S', 1), (false, "4711".to_owned()));
        assert_eq!(stat('Z', 1), (true, "4711".to_owned()));
        assert_eq!(stat('Z', 2), (false, "4711".to_owned()));
        assert!(local_process::parse_stat("7 (cut short) S 1").is_none());
    }

    #[test]
    fn a_host_is_told_by_its_pid_namespace_too() {
        let (host_id, ..) = local_process();
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
        assert!(host_id.contains(namespace.to_str().unwrap()));
    }

    #[test]
    fn entropy_does_not_repeat() {
        let system = System::new().unwrap();
        let mut draws = [[0_u8; 16]; 3];
        draws.iter_mut().for_each(|draw| system.fill_entropy(draw));
        assert!(draws[0] != draws[1] && draws[1] != draws[2] && draws.iter().all(|draw| *draw != [0; 16]));
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let (host_id, boot_id, pid) = local_process();
        assert!(dead(LeaseOwnerLiveness::LocalProcess { host_id, boot_id, pid, process_start: "1".into() }));
    }

    #[test]
    fn what_another_host_or_boot_says_proves_nothing() {
        let (mut child, liveness) = killed_child();
        child.wait().unwrap();
        let LeaseOwnerLiveness::LocalProcess { host_id, boot_id, pid, process_start } = liveness else {
            panic!("a child is a local process");
        };
        let with = |host_id: &str, boot_id: &str| LeaseOwnerLiveness::LocalProcess {
            host_id: host_id.to_owned(),
            boot_id: boot_id.to_owned(),
            pid,
            process_start: process_start.clone(),
        };
        assert!(dead(with(&host_id, &boot_id)));
        assert!(!dead(with("elsewhere", &boot_id)));
        assert!(!dead(with(&host_id, "earlier")));
        assert!(!dead(LeaseOwnerLiveness::Opaque));
    }

    #[test]
    fn the_monotonic_clock_goes_forward() {
        let system = System::new().unwrap();
        let earlier = system.monotonic();
        assert!(system.monotonic() >= earlier);
    }
}
