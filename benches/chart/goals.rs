//! Each goal as a bar: how much of what it allows was used. What ends left of the line is met.

use anyhow::Result;

use super::Drawing;
use crate::page::{limit, number};
use crate::results::{Goal, Limit, Results, median, range};
use crate::rows::ALL;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 470.0;
const RIGHT: f64 = 170.0;
const LINE: f64 = 26.0;
/// Bars that would be longer than so many times the goal are cut off.
const MOST: f64 = 2.0;

pub(super) fn svg(results: &Results) -> Result<String> {
    let goals: Vec<&Goal> =
        ALL.iter().filter_map(|plan| results.rows.get(plan.name)).flat_map(|row| &row.goals).collect();
    let mut drawing = Drawing::new(WIDTH, "Each goal of the bench, and how much of it was used");
    let at = |share: f64| LEFT + share.clamp(0.0, MOST) / MOST * (WIDTH - LEFT - RIGHT);
    let (top, bottom) = (52.0, 56.0 + goals.len() as f64 * LINE);
    drawing.text("title", 8.0, 22.0, "Part of what each goal allows (less is better)")?;
    for share in [0.0, 0.5, 1.0, 1.5, 2.0] {
        let class = if share == 1.0 { "goal" } else { "grid" };
        drawing.line(class, &[(at(share), top), (at(share), bottom)])?;
        let label = if share == 1.0 { "goal".to_owned() } else { format!("{:.0} %", share * 100.0) };
        drawing.text(if share == 1.0 { "middle" } else { "faint middle" }, at(share), top - 8.0, &label)?;
    }
    for (place, goal) in goals.iter().enumerate() {
        let y = top + 6.0 + place as f64 * LINE;
        drawing.text("right", LEFT - 10.0, y + 13.0, &goal.what.replace('`', ""))?;
        let (Some(middle), Some((least, most))) = (median(&goal.samples), range(&goal.samples)) else { continue };
        let class = if goal.is_met() == Some(true) { "good" } else { "bad" };
        drawing.rect(class, [LEFT, y, at(used(goal, middle)) - LEFT, 17.0])?;
        let (near, far) = (at(used(goal, least)), at(used(goal, most)));
        if (near - far).abs() > 2.0 {
            drawing.line("range", &[(near, y + 8.5), (far, y + 8.5)])?;
        }
        let unit = if goal.unit.is_empty() { String::new() } else { format!(" {}", goal.unit) };
        let text = format!("{}{unit} ({})", number(middle), limit(goal));
        drawing.text("", WIDTH - RIGHT + 12.0, y + 13.0, &text)?;
    }
    drawing.line("axis", &[(LEFT, top), (LEFT, bottom)])?;
    drawing.height = bottom + 12.0;
    Ok(drawing.finish())
}

/// The part of what a goal allows: of a least number it is the other way round.
fn used(goal: &Goal, value: f64) -> f64 {
    match goal.limit {
        Limit::AtMost(most) => value / most.max(f64::MIN_POSITIVE),
        Limit::AtLeast(least) => least / value.max(f64::MIN_POSITIVE),
    }
}
