//! The question before deleting: the name of the bucket is the answer.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Result;

use crate::failure::Failure;
use crate::report::progress::Progress;
use crate::report::text::{counted, duration, printable};
use crate::run::Confirmation;

/// Shows what is about to be deleted and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask(progress: &Progress, asked: &Confirmation) -> Result<bool> {
    if !io::stdin().is_terminal() {
        let reason = format!("{} would be deleted, and there is no terminal to confirm it on", objects(asked.deletes));
        let hint = "run it on a terminal, or give --yes".to_owned();
        return Err(Failure::Refused { reasons: vec![reason], hint }.into());
    }
    progress.println(&question(asked));
    let mut error = io::stderr();
    write!(error, "Type the bucket's name to delete them: ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == asked.bucket)
}

fn objects(count: u64) -> String {
    counted(count, "object", "objects")
}

fn question(asked: &Confirmation) -> String {
    let clean = asked.clean_for_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let clean = match clean {
        None => "no clean look is on record".to_owned(),
        Some(seconds) if seconds < 60 => "the first clean look was just now".to_owned(),
        Some(seconds) => format!("the first clean look was {} ago", duration(std::time::Duration::from_secs(seconds))),
    };
    let mut lines = vec![
        format!("About to delete {} from bucket {}.", objects(asked.deletes), printable(&asked.bucket)),
        format!("  No legacy path is left in the schema; {clean}."),
        "  The schema has no fence: a legacy path that the application writes from now on would name a deleted object."
            .to_owned(),
        format!("  The list will be in {}.", printable(&asked.manifest.to_string_lossy())),
    ];
    if asked.orphans_copied > 0 {
        lines.push(format!("  {} that no row names were copied to production first.", objects(asked.orphans_copied)));
    }
    if asked.kept > 0 {
        lines.push(format!("  {} will be kept; the report says why.", objects(asked.kept)));
    }
    if !asked.excluded.is_empty() {
        let columns = printable(&asked.excluded.join(", "));
        lines.push(format!("  Excluded columns still hold legacy paths, which will break: {columns}."));
    }
    if !asked.conditional {
        lines.push("  The endpoint ignores conditions: a write between look and delete is lost.".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_goes_and_what_the_risks_are() {
        let asked = Confirmation {
            bucket: "legacy-s3".into(),
            deletes: 1200,
            orphans_copied: 3,
            kept: 1,
            clean_for_seconds: Some(7200),
            excluded: vec!["audit.path".into()],
            conditional: false,
            manifest: "final.manifest.csv".into(),
        };
        let text = question(&asked);
        for part in
            ["1,200 objects from bucket legacy-s3", "2 h ago", "3 objects that no row names", "audit.path", "no fence"]
        {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }
}
