//! What the program tells of itself for other programs: a settings file to begin with, completions of a shell, manual pages.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::error::ErrorKind;
use clap::{Arg, Error, ValueHint, value_parser};
use clap_complete::Shell;

use super::help;
use crate::config::example;

const INIT: &str = "init";
const COMPLETIONS: &str = "completions";
const MAN: &str = "man";

const SHELL: &str = "SHELL";
const DIRECTORY: &str = "DIR";

/// What is to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Document {
    Init,
    Completions(Shell),
    Man(PathBuf),
}

/// The commands that print; none of them takes settings.
pub(super) fn commands() -> [clap::Command; 3] {
    let shell = Arg::new(SHELL).required(true).value_parser(value_parser!(Shell)).help(help::SHELL);
    let directory = Arg::new(DIRECTORY).required(true).value_parser(value_parser!(PathBuf));
    let directory = directory.value_hint(ValueHint::DirPath).help(help::DIRECTORY);
    let named = |name, (about, examples)| clap::Command::new(name).about(about).after_help(help::example(examples));
    [named(INIT, help::INIT), named(COMPLETIONS, help::COMPLETIONS).arg(shell), named(MAN, help::MAN).arg(directory)]
}

/// Whether the command line of `program` asks for one of these; then for which, or what clap wants printed instead.
pub(super) fn asked(
    program: impl FnOnce() -> clap::Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Option<Result<Document, Error>> {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let first = words.get(1)?.to_str()?;
    [INIT, COMPLETIONS, MAN].contains(&first).then(|| document(program(), words))
}

fn document(mut program: clap::Command, words: Vec<OsString>) -> Result<Document, Error> {
    let matches = program.try_get_matches_from_mut(words)?;
    let asked = match matches.subcommand() {
        Some((INIT, _)) => Some(Document::Init),
        Some((COMPLETIONS, matches)) => matches.get_one(SHELL).copied().map(Document::Completions),
        Some((MAN, matches)) => matches.get_one(DIRECTORY).cloned().map(Document::Man),
        Some(_) | None => None,
    };
    asked.ok_or_else(|| program.error(ErrorKind::MissingSubcommand, "there is no command"))
}

/// Prints what `program` tells of itself.
///
/// # Errors
/// If standard output or the folder cannot be written.
pub(super) fn print(mut program: clap::Command, document: &Document) -> Result<()> {
    match document {
        Document::Init => say(example().as_bytes()),
        Document::Completions(shell) => {
            let mut script = Vec::new();
            let name = program.get_name().to_owned();
            clap_complete::generate(*shell, &mut program, name, &mut script);
            say(&script)
        }
        Document::Man(directory) => pages(program, directory),
    }
}

/// A reader that has enough, such as `head`, is no error.
fn say(text: &[u8]) -> Result<()> {
    match io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("failed to write to standard output")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn pages(program: clap::Command, directory: &Path) -> Result<()> {
    clap_mangen::generate_to(program, directory).map_err(|error| {
        let directory = directory.display();
        anyhow!("failed to write manual pages to {directory}: {error}\n  name a folder that exists and that you may write to")
    })
}
