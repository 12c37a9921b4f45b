//! `make bench`: the program beside those that one would use instead, on the same servers, in turns.
//!
//! Each row of the bench measures one thing that docs/benchmarks/README.md has a goal for. Every row starts from a world of
//! its own, and its results go to results.json with date, commit, machine and versions, so that rows can be measured one by
//! one. Nothing is asserted: what misses its goal stands there as missed.

mod bench;
mod chart;
mod child;
mod crew;
mod endpoint;
mod faraway;
mod fleet;
mod options;
mod page;
mod peers;
mod results;
mod rows;
mod simulation;
mod watched;
mod world;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use bench::{Bench, say};
use options::Options;
use results::Results;

fn main() -> Result<()> {
    let mut words = std::env::args_os().skip(1).peekable();
    if words.next_if(|word| word == child::MEASURE).is_some() {
        let (note, program) = (words.next().context("no note")?, words.next().context("no program")?);
        return child::measure(&note, &program, words);
    }
    if words.next_if(|word| word == faraway::SERVE).is_some() {
        return faraway::serve(words.map(|word| word.to_string_lossy().into_owned()));
    }
    let options = Options::parse(std::env::args().skip(1))?;
    let quick = options.quick;
    let directory = directory(quick)?;
    let path = directory.join("results.json");
    if !options.render {
        measure(options, &path)?;
    }
    let results = Results::read(&path)?;
    chart::write(&results, &directory)?;
    page::write(&results, quick, &directory)?;
    say(&format!("{} is written", directory.join("README.md").display()));
    Ok(())
}

fn measure(options: Options, path: &Path) -> Result<()> {
    let unknown = options.rows.iter().find(|wanted| !rows::ALL.iter().any(|row| row.name == **wanted));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = rows::ALL.iter().map(|row| row.name).collect();
        bail!("there is no row {unknown}; there are: {}", names.join(" "));
    }
    let is_named = |row: &rows::Plan| options.rows.iter().any(|name| name == row.name);
    let chosen = rows::ALL.iter().filter(|row| is_named(row) || (options.rows.is_empty() && !row.on_demand));
    let chosen: Vec<_> = chosen.collect();
    let bench = Bench::new(options, path)?;
    let begun = Instant::now();
    for (number, row) in chosen.iter().enumerate() {
        say(&format!("[{}/{}] {}: {}", number + 1, chosen.len(), row.name, row.title));
        let row_begun = Instant::now();
        let mut measured = bench.row()?;
        (row.measure)(&bench, &mut measured).with_context(|| format!("the row {} failed", row.name))?;
        measured.seconds = row_begun.elapsed().as_secs();
        page::goals(&measured).iter().for_each(|line| say(&format!("  {line}")));
        // Read again: another bench may have written meanwhile.
        let mut results = Results::read(path)?;
        results.rows.insert(row.name.to_owned(), measured);
        results.write(path)?;
    }
    say(&format!("measured in {} s", begun.elapsed().as_secs()));
    Ok(())
}

/// Where the page stands. A quick bench says nothing about the program, and is kept out of the project.
fn directory(quick: bool) -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let directory = if quick { target.join("bench-quick") } else { root.join("docs/benchmarks") };
    std::fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(directory)
}
