//! One bar on a terminal.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::meter::{Meter, Pace, per_second};

/// How often a bar moves while nothing is counted, so that its time and its spinner live.
const STEADY_TICK: Duration = Duration::from_millis(200);

const WITH_TOTAL: &str = "{spinner} {phase} [{wide_bar}] {figures}";
const WITHOUT_TOTAL: &str = "{spinner} {phase} {figures}, {elapsed}";

/// The bars of a terminal, and how many of them there are.
pub(super) struct Bars {
    bars: MultiProgress,
    count: Mutex<usize>,
}

impl Bars {
    pub(super) fn new(target: ProgressDrawTarget) -> Self {
        Self { bars: MultiProgress::with_draw_target(target), count: Mutex::new(0) }
    }

    /// Whether there is no terminal after all.
    pub(super) fn are_hidden(&self) -> bool {
        self.bars.is_hidden()
    }

    /// Adds a bar below the others.
    pub(super) fn add(&self, meter: &Arc<Meter>) -> ProgressBar {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        let (bar, template) = match meter.total() {
            Some(total) => (ProgressBar::new(total), WITH_TOTAL),
            None => (ProgressBar::no_length(), WITHOUT_TOTAL),
        };
        let bar = self.bars.add(bar.with_style(style(template, meter)));
        bar.enable_steady_tick(STEADY_TICK);
        bar
    }

    /// Removes a bar, once.
    pub(super) fn remove(&self, bar: &ProgressBar) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        bar.finish_and_clear();
    }

    /// Prints a line above the bars. Without bars it goes to `plain`: what is printed above bars has no line feed until
    /// they are drawn again, which the shell's prompt would suffer from.
    pub(super) fn print(&self, text: &str, plain: impl FnOnce()) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        if *count > 0 { self.bars.println(text).unwrap_or_default() } else { plain() }
    }
}

/// Makes a bar of what was a spinner, or stretches it.
pub(super) fn set_total(bar: &ProgressBar, total: u64) {
    bar.set_length(total);
    if let Ok(style) = bar.style().template(WITH_TOTAL) {
        bar.set_style(style);
    }
}

/// The figures are read when drawn. A weak handle, since the bar belongs to the phase that owns the meter.
fn style(template: &str, meter: &Arc<Meter>) -> ProgressStyle {
    let (names, figures) = (Arc::downgrade(meter), Arc::downgrade(meter));
    let style = ProgressStyle::default_bar()
        .with_key("phase", move |_: &ProgressState, out: &mut dyn Write| {
            write(out, &names, |meter| meter.name().to_owned());
        })
        .with_key("figures", move |state: &ProgressState, out: &mut dyn Write| {
            write(out, &figures, |meter| {
                let bytes_per_second = per_second(meter.bytes(), state.elapsed());
                meter.figures(Pace { done_per_second: state.per_sec(), bytes_per_second })
            });
        })
        .progress_chars("=> ");
    style.template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn write(out: &mut dyn Write, meter: &Weak<Meter>, text: impl Fn(&Meter) -> String) {
    if let Some(meter) = meter.upgrade() {
        out.write_str(&text(&meter)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        for template in [WITH_TOTAL, WITHOUT_TOTAL] {
            assert!(ProgressStyle::default_bar().template(template).is_ok());
        }
    }
}
