//! A Postgres server of one's own, started from the installed binaries in a folder of its own, on a loopback port. It is
//! stopped and its folder removed when the last use of it is gone, and when the process that started it ends in any way
//! at all: a shell that outlives that process waits for the end of its input.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The server refuses to run as the superuser; there it runs as nobody.
const NOBODY: u32 = 65_534;

/// The name of the server's only role, which owns everything.
pub const USER: &str = "fencepost";
pub const PASSWORD: &str = "a-secret-of-the-tests";

/// A running server, or one that was stopped and can be started again.
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    /// `None` only while it is dropped.
    guard: Option<Child>,
}

impl PostgresServer {
    /// The folder of `initdb` and `pg_ctl`: `FENCEPOST_POSTGRES_BIN`, else where they are on the path, else the newest
    /// of Debian's.
    pub fn programs() -> Option<PathBuf> {
        let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
        if let Some(named) = std::env::var_os("FENCEPOST_POSTGRES_BIN") {
            return Some(PathBuf::from(named)).filter(has_both);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).find(has_both);
        on_path.or_else(|| {
            let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
            let mut numbered: Vec<(u32, PathBuf)> = versions
                .filter_map(Result::ok)
                .filter_map(|version| {
                    let number = version.file_name().to_str()?.parse().ok()?;
                    Some((number, version.path().join("bin")))
                })
                .filter(|(_, folder)| has_both(folder))
                .collect();
            numbered.sort();
            numbered.pop().map(|(_, folder)| folder)
        })
    }

    /// A new server with these settings (`name=value`) beside the defaults. An error says what did not work.
    pub fn start(settings: &[&str]) -> Result<Self, String> {
        let programs = Self::programs().ok_or("no Postgres is installed (`initdb` and `pg_ctl`)")?;
        let folder = new_folder().map_err(|cause| format!("make a folder for the server: {cause}"))?;
        let mut server = Self {
            programs,
            folder,
            port: 0,
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            guard: None,
        };
        // The guard starts before anything else, so that it removes everything that follows.
        server.guard = Some(server.new_guard()?);
        let password = server.folder.join("password");
        std::fs::write(&password, PASSWORD)
            .and_then(|()| hand_over(&password))
            .map_err(|cause| format!("write the password: {cause}"))?;
        let initdb: [OsString; 8] = [
            "--pgdata".into(),
            server.data().into(),
            format!("--username={USER}").into(),
            format!("--pwfile={}", password.display()).into(),
            "--auth=scram-sha-256".into(),
            "--encoding=UTF8".into(),
            "--locale=C".into(),
            "--no-sync".into(),
        ];
        server.run("initdb", &initdb)?;
        // Another program may take a free port before the server does.
        let mut refusal = String::new();
        for _ in 0..5 {
            server.port = free_port().map_err(|cause| format!("find a free port: {cause}"))?;
            match server.start_again() {
                Ok(()) => return Ok(server),
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    /// Where to reach a database of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The same server with other settings, when it is started again.
    pub fn set(&mut self, settings: &[&str]) -> &mut Self {
        self.settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        self
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Starts the server where it was stopped, and waits until it answers.
    pub fn start_again(&self) -> Result<(), String> {
        let mut options =
            format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", self.port);
        for setting in &self.settings {
            options.push_str(" -c ");
            options.push_str(setting);
        }
        let log = self.log();
        let arguments: [OsString; 8] = [
            "start".into(),
            "--wait".into(),
            "--pgdata".into(),
            self.data().into(),
            "--log".into(),
            log.clone().into(),
            "--options".into(),
            options.into(),
        ];
        self.run("pg_ctl", &arguments).map_err(|why| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(5).collect();
            format!("{why}: {}", last.into_iter().rev().collect::<Vec<_>>().join(" | "))
        })
    }

    /// Ends the server at once, as a crash would: no client is told, and nothing is written any more.
    pub fn crash(&self) -> Result<(), String> {
        self.stop("immediate")
    }

    /// Ends the server in good order.
    pub fn shut_down(&self) -> Result<(), String> {
        self.stop("fast")
    }

    fn stop(&self, mode: &str) -> Result<(), String> {
        let arguments: [OsString; 6] = [
            "stop".into(),
            "--wait".into(),
            "--mode".into(),
            mode.into(),
            "--pgdata".into(),
            self.data().into(),
        ];
        self.run("pg_ctl", &arguments)
    }

    fn run(&self, program: &str, arguments: &[OsString]) -> Result<(), String> {
        let mut command = self.command(self.programs.join(program));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        // Its own output, and nothing of the server's: whoever reads it waits for no server to end.
        let told = self.folder.join(format!("{program}.told"));
        let told_to = std::fs::File::create(&told).map_err(|cause| format!("{program}: {cause}"))?;
        let status = command.stderr(told_to).status().map_err(|cause| format!("{program}: {cause}"))?;
        if status.success() {
            return Ok(());
        }
        let told = std::fs::read_to_string(&told).unwrap_or_default();
        Err(format!("{program} failed: {}", told.trim()))
    }

    /// A command that runs as the server's own user.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("HOME", &self.folder).env("LC_ALL", "C");
        if is_superuser() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn new_guard(&self) -> Result<Child, String> {
        let script = "read -r _; \"$1\"/pg_ctl stop --silent --mode immediate --pgdata \"$2\"/data; cd /; rm -rf \"$2\"";
        let mut command = self.command("sh");
        command.args(["-c", script, "guard"]).arg(&self.programs).arg(&self.folder);
        // Out of reach of a Ctrl-C that is meant for whoever started this.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map_err(|cause| format!("start the server's guard: {cause}"))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            if let Some(mut input) = guard.stdin.take() {
                let _ = input.write_all(b"\n");
            }
            let _ = guard.wait();
        }
        // Files that a superuser wrote there stay, because the user `nobody` cannot remove them.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

fn hand_over(path: &Path) -> std::io::Result<()> {
    if is_superuser() { chown(path, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A new folder that only the server's user may enter.
fn new_folder() -> std::io::Result<PathBuf> {
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(std::io::Error::other)?;
    let name = format!("fencepost-postgres-{:016x}", u64::from_le_bytes(number));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    hand_over(&folder)?;
    Ok(folder)
}
