//! Workers that share a run: started together, looked at together, killed one by one.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use crate::child::Program;
use crate::watched::{Seen, look};

/// How often they are looked at.
const EVERY: Duration = Duration::from_millis(100);
/// After so long none of them is waited for any more.
const PATIENCE: Duration = Duration::from_secs(600);

/// Some running workers. Dropping it kills them.
pub(crate) struct Crew {
    workers: Vec<Worker>,
    begun: Instant,
}

struct Worker {
    child: Child,
    seen: Seen,
    status: Option<ExitStatus>,
    log: NamedTempFile,
}

impl Crew {
    /// Starts so many of the same program.
    pub(crate) fn start(program: &Program, count: usize) -> Result<Self> {
        let mut crew = Self { workers: Vec::new(), begun: Instant::now() };
        for _ in 0..count {
            let log = NamedTempFile::new()?;
            let mut command = program.command();
            command.stdout(Stdio::null()).stderr(Stdio::from(log.reopen()?));
            let child = command.spawn().with_context(|| format!("{} does not start", program.typed()))?;
            crew.workers.push(Worker { child, seen: Seen::default(), status: None, log });
        }
        Ok(crew)
    }

    /// Looks at all of them; whether any is still at work.
    pub(crate) fn works(&mut self) -> Result<bool> {
        std::thread::sleep(EVERY);
        let mut at_work = false;
        for worker in self.workers.iter_mut().filter(|worker| worker.status.is_none()) {
            worker.status = worker.child.try_wait()?;
            look(&worker.child, &mut worker.seen);
            at_work |= worker.status.is_none();
        }
        if self.begun.elapsed() > PATIENCE {
            bail!("the workers do not end:\n{}", self.log());
        }
        Ok(at_work)
    }

    /// The seconds of processor that all have taken.
    pub(crate) fn cpu(&self) -> f64 {
        self.workers.iter().map(|worker| worker.seen.cpu).sum()
    }

    /// Kills one of them with SIGKILL; its end is no failure.
    pub(crate) fn kill(&mut self, nth: usize) -> Result<()> {
        let mut worker = self.workers.remove(nth);
        worker.child.kill().context("a worker cannot be killed")?;
        worker.child.wait().context("a worker cannot be waited for").map(drop)
    }

    /// Demands that all that are left have ended well.
    pub(crate) fn ended_well(&self) -> Result<()> {
        match self.workers.iter().find(|worker| worker.status.is_none_or(|status| !status.success())) {
            None => Ok(()),
            Some(worker) => bail!("a worker ended with {:?}:\n{}", worker.status, self.log()),
        }
    }

    /// The last lines of each.
    fn log(&self) -> String {
        let logs = self.workers.iter().map(|worker| std::fs::read_to_string(worker.log.path()).unwrap_or_default());
        let tails = logs.map(|log| {
            let lines: Vec<&str> = log.lines().collect();
            lines.iter().skip(lines.len().saturating_sub(8)).copied().collect::<Vec<_>>().join("\n")
        });
        tails.collect::<Vec<_>>().join("\n--\n")
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for worker in self.workers.iter_mut().filter(|worker| worker.status.is_none()) {
            drop(worker.child.kill());
            drop(worker.child.wait());
        }
    }
}
