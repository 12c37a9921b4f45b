//! A process that is looked at while it runs: processor, memory, and the disk of files that have no name any more.

use std::os::unix::fs::MetadataExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child::Program;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Ticks of a second in `/proc` (`getconf CLK_TCK`): 100 on every Linux that Debian builds.
const CLOCK: f64 = 100.0;

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of processor.
    pub(crate) cpu: f64,
    /// The most memory, in MB of 1,000,000 bytes.
    pub(crate) memory: f64,
    /// The most that its open files without a name held, in MB.
    pub(crate) unnamed_files: f64,
}

/// Runs a program to its end and demands that it ends well; what it says on standard error is given back.
pub(crate) fn run(program: &Program) -> Result<(Seen, String, String)> {
    let (out, err) = (tempfile::NamedTempFile::new()?, tempfile::NamedTempFile::new()?);
    let begun = Instant::now();
    let mut command = program.command();
    command.stdout(Stdio::from(out.reopen()?)).stderr(Stdio::from(err.reopen()?));
    let mut child = command.spawn().with_context(|| format!("{} does not start", program.typed()))?;
    let mut seen = Seen::default();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        look(&child, &mut seen);
        std::thread::sleep(EVERY);
    };
    seen.wall = begun.elapsed().as_secs_f64();
    let (said, log) = (std::fs::read_to_string(out.path())?, std::fs::read_to_string(err.path())?);
    if !status.success() {
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        bail!("{} ended with {status}\n{}", program.typed(), tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    Ok((seen, said, log))
}

/// Notes what a process has taken by now, as long as it is there.
pub(crate) fn look(child: &Child, seen: &mut Seen) {
    let pid = child.id();
    seen.cpu = cpu_seconds(pid).unwrap_or(seen.cpu);
    seen.memory = memory_peak(pid).unwrap_or(seen.memory);
    seen.unnamed_files = seen.unnamed_files.max(unnamed_files(pid).unwrap_or_default());
}

/// Seconds of processor that a process has taken, all its threads together; none once it is gone.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = |nth: usize| fields.split_whitespace().nth(nth)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / CLOCK)
}

fn memory_peak(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn unnamed_files(pid: u32) -> Option<f64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten() {
        let path = entry.path();
        let is_gone = std::fs::read_link(&path).is_ok_and(|to| to.to_string_lossy().ends_with(" (deleted)"));
        let Ok(file) = std::fs::metadata(&path) else { continue };
        if is_gone && file.is_file() {
            bytes += file.blocks() * 512;
        }
    }
    Some(bytes as f64 / 1e6)
}
