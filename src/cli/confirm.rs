//! The questions before deleting and before rolling back: what is to be typed cannot be typed by accident.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Result;

use crate::failure::Failure;
use crate::report::progress::Progress;
use crate::report::text::{counted, duration, printable};
use crate::run::{
    Confirmation, FenceConfirmation, PolicyConfirmation, PruneConfirmation, ResolveConfirmation, RollbackConfirmation,
};

/// Shows what is about to be deleted and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask(progress: &Progress, asked: &Confirmation) -> Result<bool> {
    let at_stake = format!("{} would be deleted", objects(asked.deletes));
    typed(progress, &at_stake, &question(asked), "Type the bucket's name to delete them: ", &asked.bucket)
}

/// Shows what is about to go back and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask_rollback(progress: &Progress, asked: &RollbackConfirmation) -> Result<bool> {
    let at_stake = format!("{} would go back", rows(asked.rows));
    typed(progress, &at_stake, &rollback_question(asked), "Type `rollback` to go on: ", "rollback")
}

/// Shows what setting up the fence means and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask_fence(progress: &Progress, asked: &FenceConfirmation) -> Result<bool> {
    let at_stake = format!("{} would be fenced", counted(u64::try_from(asked.columns.len())?, "column", "columns"));
    typed(progress, &at_stake, &fence_question(asked), "Type `fence` to go on: ", "fence")
}

/// Shows what the policy of the legacy bucket will hold and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask_policy(progress: &Progress, asked: &PolicyConfirmation) -> Result<bool> {
    let at_stake = format!("the policy of {} would be changed", asked.bucket);
    typed(progress, &at_stake, &policy_question(asked), "Type the bucket's name to change it: ", &asked.bucket)
}

fn policy_question(asked: &PolicyConfirmation) -> String {
    let bucket = printable(&asked.bucket);
    let mut lines = vec![match (asked.statements.is_empty(), asked.deletes_policy) {
        (false, _) => format!("About to let others into bucket {bucket} by these statements of its policy:"),
        (true, false) => format!("About to take statements out of the policy of bucket {bucket}."),
        (true, true) => format!("About to delete the policy of bucket {bucket}, as nothing else is in it."),
    }];
    lines.extend(asked.statements.lines().map(printable));
    if !asked.goes.is_empty() {
        lines.push(format!("  Of its statements these go: {}.", printable(&asked.goes.join(", "))));
    }
    let kept = u64::try_from(asked.kept).unwrap_or(u64::MAX);
    lines.push(format!("  {} will not be touched.", counted(kept, "other statement", "other statements")));
    lines.join("\n")
}

fn fence_question(asked: &FenceConfirmation) -> String {
    let waits = match &asked.forecast {
        Some(forecast) => forecast.sentence(),
        None => "No table is copied; a trigger waits at most 5 s for the transactions that use its table".to_owned(),
    };
    [
        format!("About to fence {}.", printable(&asked.columns.join(", "))),
        "  The database will refuse every write of a legacy path: the application must write modern ones.".to_owned(),
        format!("  {waits}."),
    ]
    .join("\n")
}

/// Shows the two objects and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask_resolve(progress: &Progress, asked: &ResolveConfirmation) -> Result<bool> {
    let (at_stake, word) = (format!("{} would be settled", asked.source.key), asked.keep.word());
    typed(progress, &at_stake, &resolve_question(asked), &format!("Type `{word}` to keep it: "), word)
}

fn resolve_question(asked: &ResolveConfirmation) -> String {
    let what = match &asked.saved_as {
        Some(saved_as) => {
            format!("The source's bytes replace the target, which is put aside as {}.", printable(saved_as))
        }
        None => "The target stays; rows that name the source will show what it holds.".to_owned(),
    };
    [
        format!("The two differ: {}.", printable(&asked.how)),
        format!("  source  {}", asked.source.line()),
        format!("  target  {}", asked.target.line()),
        what,
    ]
    .join("\n")
}

/// Shows what is about to be forgotten and reads the answer.
///
/// # Errors
/// [`Failure::Refused`] without a terminal, as nobody could answer.
pub(super) fn ask_prune(progress: &Progress, asked: &PruneConfirmation) -> Result<bool> {
    let at_stake = format!("{} would be beyond rollback", rows(asked.lines.row_changes));
    typed(progress, &at_stake, &prune_question(asked), "Type `prune` to go on: ", "prune")
}

fn prune_question(asked: &PruneConfirmation) -> String {
    let objects = counted(asked.lines.objects, "deleted object", "deleted objects");
    [
        format!("About to forget what runs until {} have left.", asked.through.at),
        format!("  {} that they moved cannot be rolled back any more.", rows(asked.lines.row_changes)),
        format!("  {objects}: a legacy row that old code writes for one of them cannot be proved and moved any more."),
    ]
    .join("\n")
}

/// Asks, and tells whether the word was typed.
fn typed(progress: &Progress, at_stake: &str, question: &str, prompt: &str, word: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        let reason = format!("{at_stake}, and there is no terminal to confirm it on");
        let hint = "run it on a terminal, or give --yes".to_owned();
        return Err(Failure::Refused { reasons: vec![reason], hint }.into());
    }
    progress.ask(question);
    Ok(answer(prompt)? == word)
}

fn answer(prompt: &str) -> Result<String> {
    let mut error = io::stderr();
    write!(error, "{prompt}")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

fn rows(count: u64) -> String {
    counted(count, "row", "rows")
}

fn rollback_question(asked: &RollbackConfirmation) -> String {
    let mut lines = vec![
        format!("About to put {} back to legacy paths, in one transaction.", rows(asked.rows)),
        format!("  The application must look for them in bucket {} again.", printable(&asked.bucket)),
    ];
    if !asked.fenced.is_empty() {
        let columns = printable(&asked.fenced.join(", "));
        lines.push(format!("  The fence of {columns} will be taken away first, as it refuses legacy paths."));
    }
    if asked.restores > 0 {
        lines.push(format!("  {} will be copied back there first.", objects(asked.restores)));
    }
    if asked.changed > 0 {
        lines.push(format!(
            "  {} that the application changed or deleted since will not be touched.",
            rows(asked.changed)
        ));
    }
    if asked.left > 0 {
        lines.push(format!("  {} cannot go back, as said above.", rows(asked.left)));
    }
    lines.join("\n")
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
    let fence = if asked.fenced {
        "  The fence stands: the database refuses legacy paths from now on."
    } else {
        "  The schema has no fence: a legacy path that the application writes from now on would name a deleted object."
    };
    let mut lines = vec![
        format!("About to delete {} from bucket {}.", objects(asked.deletes), printable(&asked.bucket)),
        format!("  No legacy path is left in the schema; {clean}."),
        fence.to_owned(),
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
    use std::time::Duration;

    use super::*;
    use crate::report::summary::FenceForecast;

    #[test]
    fn the_question_before_a_rollback_says_what_goes_and_what_stays() {
        let (bucket, fenced) = ("legacy-s3".into(), vec!["avatars.path".into()]);
        let asked = RollbackConfirmation { bucket, rows: 1200, restores: 3, changed: 2, left: 1, fenced };
        let expected = "\
About to put 1,200 rows back to legacy paths, in one transaction.
  The application must look for them in bucket legacy-s3 again.
  The fence of avatars.path will be taken away first, as it refuses legacy paths.
  3 objects will be copied back there first.
  2 rows that the application changed or deleted since will not be touched.
  1 row cannot go back, as said above.";
        assert_eq!(rollback_question(&asked), expected);
    }

    #[test]
    fn the_question_before_a_fence_says_who_waits() {
        let forecast = FenceForecast { rows: 3_000_000, bytes: 1 << 30, elapsed: Duration::from_secs(6) };
        let columns = vec!["avatars.path".to_owned()];
        let text = fence_question(&FenceConfirmation { columns: columns.clone(), forecast: Some(forecast) });
        for part in ["fence avatars.path", "about 3,000,000 rows", "1.00 GiB", "perhaps 6.0 s", "writers"] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert!(fence_question(&FenceConfirmation { columns, forecast: None }).contains("No table is copied"));
    }

    #[test]
    fn the_question_says_what_goes_and_what_the_risks_are() {
        let asked = Confirmation {
            bucket: "legacy-s3".into(),
            deletes: 1200,
            orphans_copied: 3,
            kept: 1,
            clean_for_seconds: Some(7200),
            excluded: vec!["audit.path".into()],
            fenced: false,
            conditional: false,
            manifest: "final.manifest.csv".into(),
        };
        let text = question(&asked);
        for part in
            ["1,200 objects from bucket legacy-s3", "2 h ago", "3 objects that no row names", "audit.path", "no fence"]
        {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        let text = question(&Confirmation { fenced: true, ..asked });
        assert!(text.contains("The fence stands") && !text.contains("no fence"), "{text}");
    }
}
