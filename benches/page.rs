//! The page docs/benchmarks/README.md, made from results.json alone.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use avatar_migrate::report::text::counted;

use crate::results::{Goal, Limit, Machine, Measure, Results, Row, median, range};
use crate::rows::{ALL, Plan};

const HEAD: &str = "# How fast

<!-- Written by `make bench` from results.json. -->

What one would do by hand is `s5cmd cp`, `rclone copy` or `aws s3 sync`, and an UPDATE. This program does more: it plans from the
rows, checks every copy, keeps a journal and moves the rows. `make bench` measures what that costs: the contestants take
turns on the same server, each at its best settings and with a fresh target. CPU and memory are those of the client process;
requests are counted at the server. Each number is the median of the rounds, with the least and the most in brackets.
";

/// Writes the page.
pub(crate) fn write(results: &Results, quick: bool, directory: &Path) -> Result<()> {
    let mut page = HEAD.to_owned();
    if quick {
        page += "\n**A quick bench, in worlds far smaller than said below: it shows that the bench runs, and nothing else.**\n";
    }
    let measured = || ALL.iter().filter_map(|plan| Some((plan, results.rows.get(plan.name)?)));
    let all: Vec<&Goal> = measured().flat_map(|(_, row)| &row.goals).collect();
    let met = all.iter().filter(|goal| goal.is_met() == Some(true)).count();
    if !all.is_empty() {
        writeln!(page, "\n## Goals: {met} of {} met\n", all.len())?;
        page += "![Each goal, and how far it was met](goals.svg)\n\n";
        page += "| row | what | goal | measured | verdict |\n|---|---|---|---|---|\n";
    }
    for (plan, row) in measured() {
        for goal in &row.goals {
            let (name, what) = (plan.name, &goal.what);
            writeln!(
                page,
                "| [{name}](#{name}) | {what} | {} | {} | {} |",
                limit(goal),
                spread(&goal.samples, &goal.unit),
                verdict(goal)
            )?;
        }
    }
    let missing: Vec<&str> =
        ALL.iter().filter(|plan| !results.rows.contains_key(plan.name)).map(|plan| plan.name).collect();
    if !missing.is_empty() {
        writeln!(page, "\nNot measured yet: {}.", missing.join(", "))?;
    }
    for (plan, row) in measured() {
        page += &section(plan, row)?;
    }
    let path = directory.join("README.md");
    std::fs::write(&path, page).with_context(|| format!("{} cannot be written", path.display()))
}

/// The goals of a row as lines for the screen.
pub(crate) fn goals(row: &Row) -> Vec<String> {
    let line = |goal: &Goal| {
        format!("{}: {} (goal {}): {}", goal.what, spread(&goal.samples, &goal.unit), limit(goal), verdict(goal))
    };
    row.goals.iter().map(line).collect()
}

fn section(plan: &Plan, row: &Row) -> Result<String> {
    let mut text = format!("\n## {}\n\n{}.\n\n", plan.name, plan.title);
    if plan.name == "copy" {
        text += "![Time, CPU, memory and requests of each contestant](copy.svg)\n\n";
    }
    if !row.curves.is_empty() {
        writeln!(text, "![Copies a second over time]({}.svg)\n", plan.name)?;
    }
    text += &measures(row)?;
    for note in &row.notes {
        writeln!(text, "{note}\n")?;
    }
    let Machine { cores, processor, memory_gb } = &row.machine;
    let versions: Vec<String> = row.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(
        text,
        "<details><summary>{}, commit {}, {} in {} s</summary>\n",
        row.date,
        row.commit,
        counted(u64::try_from(row.rounds)?, "round", "rounds"),
        row.seconds
    )?;
    writeln!(text, "{cores} cores of {processor}, {memory_gb} GB. {}.\n", versions.join(", "))?;
    row.commands.iter().try_for_each(|command| writeln!(text, "    {command}"))?;
    text += "\n</details>\n";
    Ok(text)
}

/// One line a measure, one column a contestant.
fn measures(row: &Row) -> Result<String> {
    let mut names: Vec<&str> = Vec::new();
    let mut whats: Vec<(&str, &str)> = Vec::new();
    for Measure { who, what, unit, .. } in &row.measures {
        if !names.contains(&who.as_str()) {
            names.push(who);
        }
        if !whats.contains(&(what, unit)) {
            whats.push((what, unit));
        }
    }
    if names.is_empty() {
        return Ok(String::new());
    }
    let mut text = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (what, unit) in whats {
        let cells: Vec<String> = names.iter().map(|who| spread(&row.samples(who, what), unit)).collect();
        writeln!(text, "| {what} | {} |", cells.join(" | "))?;
    }
    if !row.kept.is_empty() {
        let lost = |who: &&str| row.kept.get(*who).map_or(String::new(), |lost| emphasised(lost));
        writeln!(text, "| lost on the way | {} |", names.iter().map(lost).collect::<Vec<_>>().join(" | "))?;
    }
    Ok(text + "\n")
}

fn emphasised(lost: &str) -> String {
    if lost == "nothing" { lost.to_owned() } else { format!("**{lost}**") }
}

/// `1.02 × (0.98–1.10)`.
pub(crate) fn spread(samples: &[f64], unit: &str) -> String {
    let (Some(middle), Some((least, most))) = (median(samples), range(samples)) else { return String::new() };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let texts: BTreeSet<String> = [least, middle, most].into_iter().map(number).collect();
    if texts.len() == 1 {
        return format!("{}{unit}", number(middle));
    }
    format!("{}{unit} ({}–{})", number(middle), number(least), number(most))
}

pub(crate) fn limit(goal: &Goal) -> String {
    let unit = if goal.unit.is_empty() { String::new() } else { format!(" {}", goal.unit) };
    match goal.limit {
        Limit::AtMost(most) => format!("≤ {}{unit}", number(most)),
        Limit::AtLeast(least) => format!("≥ {}{unit}", number(least)),
    }
}

fn verdict(goal: &Goal) -> &'static str {
    match goal.is_met() {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "not measured",
    }
}

/// With three digits that mean something; large ones whole and with commas.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1000.0 => return grouped(value),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        // A goal of 1.01 is missed by 1.014.
        size if size >= 0.1 => 3,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
