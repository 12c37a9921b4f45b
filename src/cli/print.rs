//! Printing: summaries on standard output, errors and their hints on standard error.

use std::io::{self, Write};

use anyhow::{Context, Result};
use console::{Style, Term};
use serde::Serialize;

use super::arguments::PROGRAM;
use crate::config::{Command, ConfigError, Format, Output};
use crate::failure::{Exit, Failure};
use crate::operate::doctor::{DoctorSummary, doctor_text};
use crate::operate::policy::{document_text, policy_text};
use crate::report::human::{
    Paint, copy_text, explain_text, fence_text, finalize_text, prune_text, resolve_text, rollback_text, status_text,
    verify_text, without_next,
};
use crate::report::progress::{Fields, Progress};
use crate::report::summary::{
    CopySummary, ExplainSummary, FenceSummary, FinalizeSummary, LockHeld, MigrateSummary, PruneSummary, Refusal,
    ResolveSummary, RollbackSummary, StatusSummary, VerifySummary,
};
use crate::report::text::{printable, printable_json};
use crate::run::{FinalizeEnd, Printed};

/// The summary of `copy`.
pub(super) fn copy(output: Output, summary: &CopySummary) -> Result<()> {
    show(output, summary, copy_text)
}

/// The summary of `verify`.
pub(super) fn verify(output: Output, summary: &VerifySummary) -> Result<()> {
    show(output, summary, verify_text)
}

/// The summary of `finalize`. The reasons of a refusal stand on standard error; a person need not read them twice.
pub(super) fn finalize(output: Output, summary: &FinalizeSummary) -> Result<()> {
    show(output, summary, |summary, paint| {
        finalize_text(&FinalizeSummary { reasons: Vec::new(), ..summary.clone() }, paint)
    })
}

/// The summary of `rollback`.
pub(super) fn rollback(output: Output, summary: &RollbackSummary) -> Result<()> {
    show(output, summary, rollback_text)
}

/// What `doctor` found.
pub(super) fn doctor(output: Output, summary: &DoctorSummary) -> Result<()> {
    show(output, summary, doctor_text)
}

/// What `policy` prints; a single document is bare whatever the format, as it is meant for a pipe.
pub(super) fn policy(output: Output, printed: &Printed) -> Result<()> {
    match printed {
        Printed::All(summary) => show(output, summary, policy_text),
        Printed::One(document) => write_out(&document_text(document)),
    }
}

/// The summary of `fence`.
pub(super) fn fence(output: Output, summary: &FenceSummary) -> Result<()> {
    show(output, summary, fence_text)
}

/// The summary of `resolve`.
pub(super) fn resolve(output: Output, summary: &ResolveSummary) -> Result<()> {
    show(output, summary, resolve_text)
}

/// What `ledger prune` forgot.
pub(super) fn prune(output: Output, summary: &PruneSummary) -> Result<()> {
    show(output, summary, prune_text)
}

/// What is known of one key or path.
pub(super) fn explain(output: Output, summary: &ExplainSummary) -> Result<()> {
    show(output, summary, explain_text)
}

/// What `redirect` was asked for, byte for byte.
pub(super) fn configuration(text: &str) -> Result<()> {
    write_out(text)
}

/// Where the migration stands; on a terminal in the place of what was shown `before`. Gives how many lines it took.
pub(super) fn status(output: Output, summary: &StatusSummary, before: usize) -> Result<usize> {
    let term = Term::stdout();
    if output.format == Format::Json {
        return write_json(&serde_json::to_string(summary)?).map(|()| 0);
    }
    if term.is_term() {
        term.clear_last_lines(before).context("failed to write to standard output")?;
    }
    let text = status_text(summary, Paint::of(&term));
    write_out(&text)?;
    Ok(text.lines().count())
}

/// The summary of the one-line form in JSON; for a person each command's was shown when it ended.
pub(super) fn migrate(output: Output, summary: &MigrateSummary) -> Result<()> {
    match output.format {
        Format::Human => Ok(()),
        Format::Json => write_json(&serde_json::to_string(summary)?),
    }
}

/// A command of the one-line form ended: for a person its summary, without a next command if one follows by itself.
pub(super) fn part<S: Serialize>(
    output: Output,
    (name, goes_on): (&str, bool),
    summary: &S,
    text: impl Fn(&S, Paint) -> String,
) -> Result<()> {
    if output.format == Format::Json {
        return Ok(());
    }
    let text = text(summary, Paint::of(&Term::stdout()));
    let text = if goes_on { without_next(&text) } else { &text };
    write_out(&format!("{name}\n{text}\n"))
}

fn show<S: Serialize>(output: Output, summary: &S, text: impl Fn(&S, Paint) -> String) -> Result<()> {
    match output.format {
        Format::Human => write_out(&text(summary, Paint::of(&Term::stdout()))),
        Format::Json => write_json(&serde_json::to_string(summary)?),
    }
}

fn write_json(json: &str) -> Result<()> {
    write_out(&format!("{}\n", printable_json(json)))
}

fn write_out(text: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("failed to write to standard output")
}

/// With `--format json` a refusal and a held lock print their object as well.
pub(super) fn ending(command: Command, output: Output, error: &anyhow::Error) {
    let (Format::Json, Some(failure)) = (output.format, error.downcast_ref::<Failure>()) else { return };
    let name = command_name(command);
    let json = match failure {
        Failure::Refused { reasons, .. } => serde_json::to_string(&Refusal::new(name, reasons.clone())),
        Failure::Locked { holder } => {
            let known = holder.pid != 0;
            let locked_by = known.then(|| holder.clone());
            serde_json::to_string(&LockHeld { command: name.to_owned(), locked_by })
        }
        Failure::Usage { .. } | Failure::Interrupted => return,
    };
    if let Ok(json) = json {
        // The failure itself is printed next; a closed standard output cannot be told of.
        drop(write_json(&json));
    }
}

fn command_name(command: Command) -> &'static str {
    match command {
        Command::Copy => "copy",
        Command::Verify => "verify",
        Command::Finalize => "finalize",
        Command::Rollback => "rollback",
        Command::Doctor => "doctor",
        Command::Policy => "policy",
        Command::Fence => "fence",
        Command::Redirect => "redirect",
        Command::Resolve => "resolve",
        Command::Status => "status",
        Command::Explain => "explain",
        Command::Ledger => "ledger",
        Command::Migrate => "migrate",
    }
}

/// Why a finalize was refused, reason by reason, and what to do next.
pub(super) fn refused(end: &FinalizeEnd, progress: &Progress) {
    if end.exit == Exit::Refused {
        complain(REFUSED, &end.summary.reasons, &end.hint, progress);
    }
}

/// An error and its hint.
pub(super) fn failure(error: &anyhow::Error, progress: &Progress) {
    let text = format!("{error:#}");
    match error.downcast_ref::<Failure>() {
        Some(Failure::Refused { reasons, hint }) => {
            complain(REFUSED, reasons, hint, progress);
        }
        Some(failure) => complain(&text, &[], failure.hint(), progress),
        None => {
            // Some errors of this program carry their hint on a second line.
            let (first, second) = text.split_once("\n  ").unwrap_or((&text, AGAIN));
            complain(first, &[], second, progress);
        }
    }
}

fn complain(text: &str, reasons: &[String], next: &str, progress: &Progress) {
    let reasons: Vec<String> = reasons.iter().map(|reason| printable(reason)).collect();
    let (shown, next_shown) = (printable(text), printable(next));
    let fields = Fields { message: &shown, reasons: &reasons, hint: Some(&next_shown), ..Fields::default() };
    let list = reasons.iter().map(|reason| format!("  - {reason}\n")).collect::<String>();
    progress.fail(&fields, &format!("{}\n{list}{}", message(text), hint(next)));
}

const REFUSED: &str = "refused; nothing was deleted or rolled back";
const AGAIN: &str = "nothing is lost: run the same command again, it continues where it stopped";

fn message(text: &str) -> String {
    format!("{} {}", Style::new().for_stderr().red().bold().apply_to("error:"), printable(text))
}

fn hint(text: &str) -> String {
    format!("{} {}", Style::new().for_stderr().cyan().apply_to(" hint:"), printable(text))
}

/// An error in the settings, before anything is set up.
pub(super) fn config_error(error: &ConfigError) {
    let hint_line = error.hint.as_deref().unwrap_or("see the settings in the help");
    let help = format!("{PROGRAM} --help lists all settings");
    let text = format!("{}\n{}\n       {help}\n", message(&error.message), hint(hint_line));
    // Standard error may be closed; the exit code tells all the same.
    drop(io::stderr().lock().write_all(text.as_bytes()));
}
