//! What a first copy takes: a block of bars a measure, a bar a contestant, a whisker from the least to the most.

use anyhow::Result;

use super::{Drawing, rounded_up};
use crate::page::number;
use crate::results::{Row, median, range};

/// What is drawn, and what it is called.
const BLOCKS: [(&str, &str); 4] = [
    ("wall", "seconds, start to end"),
    ("client CPU", "seconds of CPU in the client"),
    ("peak memory", "MB of memory at the peak"),
    ("requests an object", "requests an object"),
];
const CLASSES: [&str; 4] = ["a", "b", "c", "d"];
const WIDTH: f64 = 760.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 22.0;

pub(super) fn svg(row: &Row) -> Result<String> {
    let mut names: Vec<&str> = Vec::new();
    row.measures.iter().for_each(|measure| {
        if !names.contains(&measure.who.as_str()) {
            names.push(&measure.who);
        }
    });
    let mut drawing = Drawing::new(WIDTH, "What a first copy takes: time, CPU, memory and requests of each contestant");
    let mut y = 24.0;
    for (what, title) in BLOCKS {
        y = block(&mut drawing, row, &names, (what, title), y)?;
    }
    drawing.height = y;
    Ok(drawing.finish())
}

fn block(drawing: &mut Drawing, row: &Row, names: &[&str], (what, title): (&str, &str), top: f64) -> Result<f64> {
    let most = names.iter().filter_map(|who| range(&row.samples(who, what))).map(|(_, most)| most);
    let most = rounded_up(most.fold(0.0, f64::max));
    let at = |value: f64| LEFT + value / most * (WIDTH - LEFT - RIGHT);
    drawing.text("title", 8.0, top, title)?;
    let (first, bottom) = (top + 10.0, top + 12.0 + names.len() as f64 * (BAR + 6.0));
    for step in 0..=4 {
        let value = most * f64::from(step) / 4.0;
        drawing.line("grid", &[(at(value), first), (at(value), bottom)])?;
        drawing.text("faint middle", at(value), bottom + 16.0, &number(value))?;
    }
    for (place, (who, class)) in names.iter().zip(CLASSES.iter().cycle()).enumerate() {
        let y = first + 3.0 + place as f64 * (BAR + 6.0);
        drawing.text("right", LEFT - 10.0, y + BAR * 0.7, who)?;
        let samples = row.samples(who, what);
        let (Some(middle), Some((least, most))) = (median(&samples), range(&samples)) else { continue };
        drawing.rect(class, [LEFT, y, at(middle) - LEFT, BAR])?;
        if at(most) - at(least) > 2.0 {
            let half = y + BAR / 2.0;
            drawing.line("range", &[(at(least), half), (at(most), half)])?;
            drawing.line("range", &[(at(least), half - 5.0), (at(least), half + 5.0)])?;
            drawing.line("range", &[(at(most), half - 5.0), (at(most), half + 5.0)])?;
        }
        drawing.text("", at(most.max(middle)) + 8.0, y + BAR * 0.7, &number(middle))?;
    }
    drawing.line("axis", &[(LEFT, first), (LEFT, bottom)])?;
    Ok(bottom + 52.0)
}
