//! The way of one process to a Postgres server: a small proxy that can cut its connections and delay what passes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a connection looks whether it was cut.
const LOOK: Duration = Duration::from_millis(20);

pub struct StoreProxy {
    pub port: u16,
    link: Arc<ProxiedLink>,
}

struct ProxiedLink {
    server: SocketAddr,
    /// Connections that were made before the last cut are over.
    cuts: AtomicU64,
    delay_ms: AtomicU64,
}

impl StoreProxy {
    /// Listens on a loopback port of its own.
    pub fn start(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let link = Arc::new(ProxiedLink { server, cuts: AtomicU64::new(0), delay_ms: AtomicU64::new(0) });
        let of_thread = Arc::clone(&link);
        std::thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                // A server that is down refuses, and so does its proxy: by closing.
                drop(connect(&of_thread, client));
            }
        })?;
        Ok(Self { port, link })
    }

    pub fn cut(&self) {
        self.link.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// Delays everything that passes from now on by so much, in both directions.
    pub fn delay(&self, delay_ms: u64) {
        self.link.delay_ms.store(delay_ms, Ordering::SeqCst);
    }
}

fn connect(link: &Arc<ProxiedLink>, client: TcpStream) -> std::io::Result<()> {
    let cuts = link.cuts.load(Ordering::SeqCst);
    let server = TcpStream::connect(link.server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ways = [(client.try_clone()?, server.try_clone()?), (server, client)];
    for (from, to) in ways {
        let link = Arc::clone(link);
        std::thread::Builder::new().name("proxied".to_owned()).spawn(move || {
            drop(pump(&link, cuts, &from, &to));
            // The end of one way is the end of both.
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
        })?;
    }
    Ok(())
}

fn pump(link: &ProxiedLink, cuts: u64, mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
    from.set_read_timeout(Some(LOOK))?;
    let is_cut = || link.cuts.load(Ordering::SeqCst) != cuts;
    let mut bytes = vec![0; 64 << 10];
    while !is_cut() {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(cause) if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(cause) => return Err(cause),
        };
        let mut waited = Duration::ZERO;
        while waited < Duration::from_millis(link.delay_ms.load(Ordering::SeqCst)) {
            if is_cut() {
                return Ok(());
            }
            wait(LOOK);
            waited += LOOK;
        }
        to.write_all(&bytes[..count])?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a thread of its own waits, as a slow network would")]
fn wait(duration: Duration) {
    std::thread::sleep(duration);
}
