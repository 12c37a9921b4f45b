//! Why a command cannot go on, where the reason decides the exit code.
//!
//! Everything else that goes wrong travels as a plain `anyhow::Error` and exits with 1. Endings of single rows and
//! objects are data, never errors.

use serde::Serialize;

/// The exit codes: an interface, described in `--help` and README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done and clean.
    Clean,
    /// Failed.
    Failed,
    /// Usage, settings or missing grants.
    Usage,
    /// Ran, but work is left or problems were found.
    Left,
    /// Refused by a safety gate; nothing was deleted or rolled back.
    Refused,
    /// Another run holds the lock.
    Locked,
    /// Interrupted; the state is consistent.
    Interrupted,
}

impl Exit {
    /// The number for the shell.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Left => 3,
            Self::Refused => 4,
            Self::Locked => 5,
            Self::Interrupted => 130,
        }
    }
}

/// A reason with an exit code of its own.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// A setting or a grant is wrong; the hint says what to do.
    #[error("{message}")]
    Usage {
        /// What is wrong and where.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// A safety gate holds.
    #[error("refused: {}", reasons.join("; "))]
    Refused {
        /// Plain sentences, the most telling first.
        reasons: Vec<String>,
        /// What to do next.
        hint: String,
    },
    /// Another run holds the lock.
    #[error("another run holds the lock: {holder}")]
    Locked {
        /// Who.
        holder: Holder,
    },
    /// SIGINT or SIGTERM; what was in flight was finished.
    #[error("interrupted; the state is consistent")]
    Interrupted,
}

impl Failure {
    /// The exit code that this failure stands for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::Usage,
            Self::Refused { .. } => Exit::Refused,
            Self::Locked { .. } => Exit::Locked,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Usage { hint, .. } | Self::Refused { hint, .. } => hint,
            Self::Locked { .. } => {
                "wait until it ends; a dead holder's lock is released by MariaDB with its connection"
            }
            Self::Interrupted => "run the same command again: it continues where it stopped",
        }
    }
}

/// The exit code that an error stands for: its own, or plain failure.
#[must_use]
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failure>().map_or(Exit::Failed, Failure::exit)
}

/// What to do where TLS did not come about, by what its library said; `authority` says where to name an authority.
#[must_use]
pub fn tls_advice(said: &str, authority: &str) -> Option<String> {
    let says = |text: &str| said.contains(text);
    if says("UnknownIssuer") || says("BadSignature") || says("CaUsedAsEndEntity") {
        Some(format!("nobody who is trusted has signed the server's certificate: {authority}"))
    } else if says("not valid for name") || says("NotValidForName") {
        Some("the server's certificate is made for another name: connect by a name that stands in it".to_owned())
    } else if says("certificate expired") || says("not valid yet") || says("certificate: Expired") {
        Some("renew the server's certificate, or set this machine's clock".to_owned())
    } else if says("InvalidContentType") {
        Some("what answers there does not speak TLS: check the port, and whether it is http:// or https://".to_owned())
    } else if says("does not support TLS") {
        Some("set up TLS on the server, or find out who takes it away on the network".to_owned())
    } else if says("certificate") {
        Some(format!("check the server's certificate; {authority}"))
    } else {
        None
    }
}

/// Who holds the lock, as recorded in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The host name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// When it took the lock (UTC, database time).
    pub since: String,
    /// How many seconds ago its heart beat last. Not a part of the JSON.
    #[serde(skip)]
    pub silent_seconds: i64,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}, since {} UTC", self.pid, self.host, self.since)
    }
}
