//! The charts, as SVG that suits light and dark pages: made from results.json alone.

mod bars;
mod curves;
mod goals;

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::results::Results;

/// Colours that keep their distance on white and on black, to those who see fewer of them too.
const STYLE: &str = "<style>
text { font: 13px -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px } .faint { fill: #57606a } .right { text-anchor: end } .middle { text-anchor: middle }
.axis { stroke: #8c959f; fill: none } .grid { stroke: #d8dee4; fill: none } .goal { stroke: #24292f; stroke-dasharray: 4 3 }
.range { stroke: #24292f; stroke-width: 1.5; fill: none }
.a { fill: #0969da } .b { fill: #bf8700 } .c { fill: #8250df } .d { fill: #57606a } .good { fill: #1a7f37 } .bad { fill: #cf222e }
.line { fill: none; stroke-width: 2; stroke-linejoin: round } .line.a { stroke: #0969da; fill: none } .line.b { stroke: #bf8700; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 } .axis { stroke: #6e7681 } .grid { stroke: #30363d } .goal { stroke: #e6edf3 } .range { stroke: #e6edf3 }
.a { fill: #4493f8 } .b { fill: #d29922 } .c { fill: #ab7df8 } .d { fill: #8b949e } .good { fill: #3fb950 } .bad { fill: #f85149 }
.line.a { stroke: #4493f8; fill: none } .line.b { stroke: #d29922; fill: none }
}
</style>
";

/// Writes those charts for which there are results.
pub(crate) fn write(results: &Results, directory: &Path) -> Result<()> {
    let put = |name: &str, svg: String| {
        let path = directory.join(format!("{name}.svg"));
        std::fs::write(&path, svg).with_context(|| format!("{} cannot be written", path.display()))
    };
    put("goals", goals::svg(results)?)?;
    if let Some(row) = results.rows.get("copy") {
        put("copy", bars::svg(row)?)?;
    }
    for (name, row) in results.rows.iter().filter(|(_, row)| !row.curves.is_empty()) {
        put(name, curves::svg(row)?)?;
    }
    Ok(())
}

/// A drawing that grows downwards.
struct Drawing {
    body: String,
    width: f64,
    height: f64,
    title: String,
}

impl Drawing {
    fn new(width: f64, title: &str) -> Self {
        Self { body: String::new(), width, height: 0.0, title: title.to_owned() }
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) -> Result<()> {
        writeln!(self.body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text))?;
        Ok(())
    }

    fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4]) -> Result<()> {
        writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"2\"/>",
            width.max(0.5)
        )?;
        Ok(())
    }

    fn line(&mut self, class: &str, points: &[(f64, f64)]) -> Result<()> {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(self.body, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "))?;
        Ok(())
    }

    fn finish(self) -> String {
        let Self { body, width, height, title } = self;
        let title = escaped(&title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{STYLE}{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A round number a little above, of which a quarter is round too.
fn rounded_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-9).log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0];
    steps.iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(10.0 * power)
}
