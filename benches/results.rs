//! What was measured, as it is kept in results.json: one entry a row of the bench, each with where and when.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Everything that was measured so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) rows: BTreeMap<String, Row>,
}

/// One row of the bench.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) rounds: usize,
    /// How long the row took to measure.
    pub(crate) seconds: u64,
    /// What was run, as one would type it.
    pub(crate) commands: Vec<String>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) measures: Vec<Measure>,
    /// What a contestant's copies lost of the object.
    pub(crate) kept: BTreeMap<String, String>,
    pub(crate) curves: Vec<Curve>,
    pub(crate) notes: Vec<String>,
}

/// Where it was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_gb: u64,
}

/// A number that was aimed at, and what came out in each round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) unit: String,
    pub(crate) limit: Limit,
    pub(crate) samples: Vec<f64>,
}

/// Which side of a number is the right one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What a contestant took in each round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) who: String,
    pub(crate) what: String,
    pub(crate) unit: String,
    pub(crate) samples: Vec<f64>,
}

/// Something that happens over time, counted in steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(crate) who: String,
    /// The length of a step in seconds.
    pub(crate) step: f64,
    pub(crate) counts: Vec<u64>,
}

impl Results {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(Self::default()) };
        serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl Row {
    /// An empty row, of here and now.
    pub(crate) fn begin(rounds: usize) -> Self {
        Self {
            date: said("date", &["-u", "+%F"]),
            commit: commit(),
            machine: Machine::this(),
            rounds,
            ..Self::default()
        }
    }

    /// Adds what a contestant took in a round.
    pub(crate) fn measure(&mut self, who: &str, what: &str, unit: &str, sample: f64) {
        let found = self.measures.iter_mut().find(|measure| measure.who == who && measure.what == what);
        match found {
            Some(measure) => measure.samples.push(sample),
            None => self.measures.push(Measure {
                who: who.to_owned(),
                what: what.to_owned(),
                unit: unit.to_owned(),
                samples: vec![sample],
            }),
        }
    }

    /// What a contestant took in each round; empty if it never ran.
    pub(crate) fn samples(&self, who: &str, what: &str) -> Vec<f64> {
        let found = self.measures.iter().find(|measure| measure.who == who && measure.what == what);
        found.map(|measure| measure.samples.clone()).unwrap_or_default()
    }

    /// How one contestant compares with another, round by round.
    pub(crate) fn ratios(&self, what: &str, who: &str, other: &str) -> Vec<f64> {
        let (own, others) = (self.samples(who, what), self.samples(other, what));
        own.iter().zip(others).map(|(own, other)| own / other).collect()
    }

    pub(crate) fn goal(&mut self, what: &str, unit: &str, limit: Limit, samples: Vec<f64>) {
        self.goals.push(Goal { what: what.to_owned(), unit: unit.to_owned(), limit, samples });
    }

    /// Notes a command once.
    pub(crate) fn command(&mut self, typed: String) {
        if !self.commands.contains(&typed) {
            self.commands.push(typed);
        }
    }
}

impl Goal {
    /// Whether the median is on the right side; `None` if nothing was measured.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let median = median(&self.samples)?;
        Some(match self.limit {
            Limit::AtMost(most) => median <= most,
            Limit::AtLeast(least) => median >= least,
        })
    }
}

impl Machine {
    fn this() -> Self {
        let field = |path: &str, name: &str| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name"),
            memory_gb: (kib * 1024).div_ceil(1_000_000_000),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// The least and the most.
pub(crate) fn range(samples: &[f64]) -> Option<(f64, f64)> {
    let least = samples.iter().copied().reduce(f64::min)?;
    let most = samples.iter().copied().reduce(f64::max)?;
    Some((least, most))
}

/// The first line that a program says.
pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&stdout).lines().next().unwrap_or_default().trim().to_owned()
}

/// What is not committed cannot be found again by the commit's name. What the bench writes does not count.
fn commit() -> String {
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no", "--", ":!docs/benchmarks"]);
    let with = if changed.is_empty() { "" } else { " with changes" };
    format!("{}{with}", said("git", &["rev-parse", "--short", "HEAD"]))
}
