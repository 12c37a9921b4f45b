//! What the command line asks for.

use anyhow::{Context, Result, bail};

/// How often each contestant runs, if nothing else is said.
const ROUNDS: usize = 3;

/// What to measure, and how much of it.
#[derive(Debug)]
pub(crate) struct Options {
    /// The rows of the table to measure; empty for all.
    pub(crate) rows: Vec<String>,
    /// How often each contestant runs.
    pub(crate) rounds: usize,
    /// A small world that only shows that the bench works; its results go below `target/`.
    pub(crate) quick: bool,
    /// Measure nothing, write page and charts anew.
    pub(crate) render: bool,
}

impl Options {
    /// Reads the words behind the program's name. Cargo adds `--bench`.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { rows: Vec::new(), rounds: ROUNDS, quick: false, render: false };
        let mut words = words.filter(|word| word != "--bench");
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => options.quick = true,
                "--render" => options.render = true,
                "--rounds" => {
                    let number = words.next().context("--rounds needs a number")?;
                    options.rounds = number.parse().with_context(|| format!("--rounds {number}: not a number"))?;
                }
                flag if flag.starts_with('-') => bail!("unknown flag {flag}: --quick, --render, --rounds N, or rows"),
                row => options.rows.push(row.to_owned()),
            }
        }
        options.rounds = options.rounds.max(1);
        Ok(options)
    }

    /// `full`, or `quick` in a quick bench.
    pub(crate) fn scale(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}
