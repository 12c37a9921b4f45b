//! How something goes over time: a line a contestant, averaged over half a second.

use anyhow::Result;

use super::{Drawing, rounded_up};
use crate::page::number;
use crate::results::{Curve, Row};

const CLASSES: [&str; 2] = ["a", "b"];
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 56.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 52.0;
/// Steps that are averaged.
const WINDOW: usize = 5;

pub(super) fn svg(row: &Row) -> Result<String> {
    let mut drawing = Drawing::new(WIDTH, "Copies a second over time");
    drawing.height = HEIGHT;
    let lines: Vec<(&Curve, Vec<(f64, f64)>)> = row.curves.iter().map(|curve| (curve, smoothed(curve))).collect();
    let largest = |of: fn(&(f64, f64)) -> f64| lines.iter().flat_map(|(_, line)| line).map(of).fold(0.0, f64::max);
    let (seconds, rate) = (rounded_up(largest(|point| point.0)), rounded_up(largest(|point| point.1)));
    let x = |at: f64| LEFT + at / seconds * (WIDTH - LEFT - RIGHT);
    let y = |at: f64| HEIGHT - BOTTOM - at / rate * (HEIGHT - TOP - BOTTOM);
    for step in 0..=4 {
        let (time, value) = (seconds * f64::from(step) / 4.0, rate * f64::from(step) / 4.0);
        drawing.line("grid", &[(LEFT, y(value)), (WIDTH - RIGHT, y(value))])?;
        drawing.text("faint right", LEFT - 8.0, y(value) + 4.0, &number(value))?;
        drawing.text("faint middle", x(time), HEIGHT - BOTTOM + 20.0, &number(time))?;
    }
    drawing.line("axis", &[(LEFT, TOP), (LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM)])?;
    drawing.text("title", 8.0, 22.0, "Copies a second")?;
    drawing.text("faint middle", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0, "seconds since the first copy")?;
    let mut legend = 180.0;
    for ((curve, line), class) in lines.iter().zip(CLASSES.iter().cycle()) {
        drawing
            .line(&format!("line {class}"), &line.iter().map(|(at, value)| (x(*at), y(*value))).collect::<Vec<_>>())?;
        drawing.rect(class, [legend, 11.0, 22.0, 12.0])?;
        drawing.text("", legend + 30.0, 22.0, &curve.who)?;
        legend += 60.0 + 8.0 * curve.who.len() as f64;
    }
    Ok(drawing.finish())
}

fn smoothed(curve: &Curve) -> Vec<(f64, f64)> {
    let mean = |(at, window): (usize, &[u64])| {
        let middle = (at as f64 + WINDOW as f64 / 2.0) * curve.step;
        (middle, window.iter().sum::<u64>() as f64 / (window.len() as f64 * curve.step))
    };
    curve.counts.windows(WINDOW).enumerate().map(mean).collect()
}
