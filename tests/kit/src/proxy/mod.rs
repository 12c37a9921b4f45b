//! A proxy before MariaDB that reads along and, on demand, breaks what it sees: a command that does not arrive, an answer
//! that is lost, cut in the middle or never comes, an error instead of an answer.

mod packet;
mod session;

use std::fmt;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

use crate::Database;

/// A command of a client that the server answers. All connections are counted together, in the order of arrival.
#[derive(Clone, Debug)]
pub struct CommandSeen {
    /// Its number, from 1.
    pub nth: u64,
    /// MariaDB's id of the connection.
    pub session: u64,
    /// What it is.
    pub kind: CommandKind,
    /// The statement, that of a prepared one included; empty where there is none.
    pub sql: String,
    /// Whether it comes after START TRANSACTION and not after COMMIT or ROLLBACK.
    pub in_transaction: bool,
}

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommandKind {
    /// The client's side of the login.
    Login,
    /// A statement as text.
    Query,
    /// A statement to be prepared.
    Prepare,
    /// A prepared statement to be run.
    Execute,
    /// Anything else, a ping among it.
    Other,
}

/// What happens to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseFault {
    /// Nothing.
    None,
    /// The connection ends before the server sees it.
    CutBefore,
    /// It arrives, and the connection ends at once: the server may still be at it.
    CutAfter,
    /// The server does it; the connection ends before its answer arrives.
    AnswerLost,
    /// The server does it; the connection ends within its answer.
    AnswerTruncated,
    /// It does not arrive, and nothing comes back: a network that has gone silent.
    Stall,
    /// It does not arrive, and this error comes back.
    Error(u16),
    /// Another statement arrives in its place (not for prepared ones that run).
    Instead(String),
}

type Hook = dyn Fn(&CommandSeen) -> DatabaseFault + Send + Sync;

/// The proxy. Dropping it closes its port; connections end with their clients.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    door: Arc<Door>,
}

struct Door {
    server: u16,
    hook: Mutex<Option<Arc<Hook>>>,
    commands: AtomicU64,
    stalled: AtomicU64,
    closed: AtomicBool,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Door {
    fn numbered(&self) -> u64 {
        self.commands.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn judge(&self, seen: &CommandSeen) -> DatabaseFault {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hook.map_or(DatabaseFault::None, |hook| hook(seen))
    }
}

impl FaultProxy {
    /// A proxy before the server of `database`.
    pub fn before(database: &Database<'_>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("failed to bind a port for the proxy")?;
        let port = listener.local_addr().context("the proxy has no address")?.port();
        let door = Arc::new(Door {
            server: database.mariadb().port(),
            hook: Mutex::new(None),
            commands: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&door);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(client) = client {
                    let door = Arc::clone(&accepting);
                    std::thread::spawn(move || session::serve(client, &door));
                }
            }
        });
        Ok(Self { port, door })
    }

    /// The URL of the database for root, through the proxy.
    #[must_use]
    pub fn url(&self, database: &Database<'_>) -> String {
        database.url().replacen(&format!(":{}/", self.door.server), &format!(":{}/", self.port), 1)
    }

    /// Calls `hook` for every command before it is done, and does what it says. Replaces the last hook; the count begins anew.
    pub fn on_command(&self, hook: impl Fn(&CommandSeen) -> DatabaseFault + Send + Sync + 'static) {
        *self.door.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
        self.door.commands.store(0, Ordering::SeqCst);
    }

    /// No hook any more; the count begins anew.
    pub fn no_faults(&self) {
        self.on_command(|_| DatabaseFault::None);
    }

    /// How many connections have gone silent.
    #[must_use]
    pub fn stalled(&self) -> u64 {
        self.door.stalled.load(Ordering::SeqCst)
    }

    /// How many commands came since the last hook.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.door.commands.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.door.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}
