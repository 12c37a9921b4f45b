//! What the process does before anything else, so that nobody reads its memory, which holds the password, or its files.

use std::io;

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask};

/// Makes every file its owner's only, turns core dumps off, and closes the process to debuggers and to readers of
/// `/proc/PID/environ` under its own user. The limit alone would not do: a `core_pattern` that pipes to a program is
/// not bound by it.
///
/// # Errors
/// If the system forbids it, as a sandbox may; what it allows is in force all the same.
pub(super) fn keep_to_itself() -> io::Result<()> {
    // What was the mask before is of no use.
    let _before = umask(Mode::RWXG | Mode::RWXO);
    let limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(limited?)
}
