//! A whole migration on a private MariaDB and an embedded S3 server, with the real program: `make demo`.
//!
//! It prints each command as a person would type it, lets the program speak for itself, and then compares everything
//! with what was there before. It fails if anything is not as README promises.

mod proof;
mod screen;
mod snapshot;
mod stage;
mod visitors;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use screen::Screen;
use snapshot::Snapshot;
use stage::{LEGACY, Stage};
use visitors::Visitors;

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::new();
    match demo(&screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.failed(&format!("The demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn demo(screen: &Screen) -> Result<()> {
    let began = Instant::now();
    let program = program()?;
    screen.title("avatarMigrate: from legacy-s3 to production-s3 while the site is up");
    let stage = Arc::new(Stage::set(&std::env::current_dir()?.join("demo-reports"))?);
    let before = Snapshot::take(&stage).await?;
    introduce(screen, &before);

    let visitors = Visitors::start(&stage, &before).await?;
    screen.step("See what would happen");
    run(screen, &stage, &program, &["copy", "--dry-run"]).await?;
    proof::nothing_changed(screen, &before, &Snapshot::take(&stage).await?)?;

    screen.step("Copy, check, move the rows");
    run(screen, &stage, &program, &["copy"]).await?;
    let copied = Snapshot::take(&stage).await?;
    screen.say("The rows have moved, and the legacy bucket still holds everything:");
    screen.rows(&copied);

    screen.step("Compare every row with both buckets");
    run(screen, &stage, &program, &["verify", "--report", "verify.csv", "--html", "verify.html"]).await?;
    screen.excerpt(&stage.directory.join("verify.csv"))?;
    screen.say("The same for people, with pictures of both buckets: open demo-reports/verify.html in a browser.");
    screen.gap();

    screen.step("Delete what has a checked twin");
    run(screen, &stage, &program, &["finalize", "--yes"]).await?;
    let after = Snapshot::take(&stage).await?;

    screen.step("What is proved");
    screen.rows(&after);
    screen.buckets(&[("before", &before), ("after copy", &copied), ("after finalize", &after)]);
    let seen = visitors.stop().await?;
    proof::everything_moved(screen, &before, &after, seen)?;

    screen.say(&format!("Reports: {}", stage.directory.display()));
    for report in stage.reports()? {
        screen.say(&format!("  {report}"));
    }
    screen.say(&format!("Done in {:.1} seconds.", began.elapsed().as_secs_f64()));
    keep(screen, &stage, &program).await
}

fn introduce(screen: &Screen, before: &Snapshot) {
    screen.say("Database production-db, a private MariaDB: half of the avatars are modern already.");
    screen.rows(before);
    screen.say("Buckets, on an S3 server in this process:");
    screen.buckets(&[("objects", before)]);
    screen.say(&format!(
        "{} objects in {LEGACY} are orphans: no row names them. image/logo.png and invoice/2024-01.pdf are none of",
        before.orphans().len()
    ));
    screen.say("our business. From now on visitors load pictures without a pause, and note each one that is broken.");
    screen.gap();
}

/// Runs the program in the demo's directory and lets it print.
async fn run(screen: &Screen, stage: &Stage, program: &Path, arguments: &[&str]) -> Result<()> {
    let line = format!("avatarMigrate {}", arguments.join(" "));
    screen.command(&line);
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(&stage.directory);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // Settings of the person who runs the demo must not reach their real buckets.
        if text.starts_with("AWS_") || text.starts_with("AVATAR_MIGRATE_") {
            command.env_remove(&name);
        }
    }
    let status = command.envs(stage.environment()).status().await;
    let status = status.with_context(|| format!("failed to run {}", program.display()))?;
    screen.gap();
    if !status.success() {
        bail!("`{line}` ended with {status}, where 0 was expected");
    }
    Ok(())
}

/// The program: the first argument, else the one that cargo built beside this example.
fn program() -> Result<PathBuf> {
    let example = std::env::current_exe().context("failed to find this example")?;
    let built = example.ancestors().nth(2).map(|target| target.join("avatarMigrate"));
    let program = std::env::args_os().nth(1).map(PathBuf::from).or(built).context("no path to avatarMigrate")?;
    let program = program.canonicalize();
    program.context("avatarMigrate is not built: run `make demo`, which builds it first")
}

/// With `KEEP=1` the servers stay until Ctrl-C.
async fn keep(screen: &Screen, stage: &Stage, program: &Path) -> Result<()> {
    if !std::env::var("KEEP").is_ok_and(|keep| !keep.is_empty() && keep != "0") {
        return Ok(());
    }
    screen.step("The servers stay up: try it by hand in another terminal");
    for line in stage.exports(program) {
        screen.plain(&line);
    }
    screen.gap();
    for line in stage.suggestions() {
        screen.plain(&line);
    }
    screen.gap();
    screen.say("Ctrl-C ends them and removes their data; the reports stay.");
    tokio::signal::ctrl_c().await.context("failed to wait for Ctrl-C")?;
    screen.gap();
    Ok(())
}
