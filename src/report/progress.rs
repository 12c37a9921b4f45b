//! How far a run is: bars on a terminal, a line every ten seconds elsewhere, in words or as JSON, nothing when quiet.
//!
//! Whatever else is printed while bars are shown has to go through [`Progress::println`] or, for `tracing`, through
//! [`Progress::log_writer`], so that it lands above the bars and not inside them.

mod bar;
mod event;
mod lines;
mod meter;
mod phases;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget};

use bar::Bars;
use event::Standing;
use lines::Ticker;
use meter::Meter;
use phases::Phases;

use crate::config::Format;
use crate::database::Activity;

pub use event::Fields;
pub use meter::PhasePast;
pub use phases::PhaseFigures;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// Bars on standard error; lines if it is no terminal after all.
    Bars,
    /// Plain lines on standard error.
    Lines,
    /// Only what is printed on purpose.
    Quiet,
}

impl ProgressMode {
    /// What fits the terminal behind standard error, `quiet` being the flag `-q`. Who reads JSON can do nothing with bars.
    #[must_use]
    pub fn detect(term: &Term, quiet: bool, format: Format) -> Self {
        match (quiet, term.is_term() && format == Format::Human) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Bars,
            (false, false) => Self::Lines,
        }
    }
}

/// The progress of a run. Clones show at the same place.
#[derive(Clone)]
pub struct Progress(Arc<Display>);

struct Display {
    shown: Shown,
    phases: Phases,
    format: Format,
    sink: Mutex<Box<dyn Write + Send>>,
    clock: Clock,
}

enum Shown {
    Bars(Bars),
    Lines(Ticker),
    Quiet,
}

/// The time since some moment; injected by tests.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

impl Progress {
    /// Shows progress on standard error.
    #[must_use]
    pub fn new(mode: ProgressMode, format: Format) -> Self {
        let started = Instant::now();
        let clock = Box::new(move || started.elapsed());
        let sink = Box::new(io::stderr());
        match mode {
            ProgressMode::Bars => {
                let bars = Bars::new(ProgressDrawTarget::stderr());
                // Hidden bars would swallow warnings as well.
                if bars.are_hidden() {
                    Self::with_lines(format, sink, clock)
                } else {
                    Self::with(Shown::Bars(bars), format, sink, clock)
                }
            }
            ProgressMode::Lines => Self::with_lines(format, sink, clock),
            ProgressMode::Quiet => Self::with(Shown::Quiet, format, sink, clock),
        }
    }

    /// Begins a phase, such as `copy` with so many `objects`, or with an unknown number of them.
    #[must_use]
    pub fn phase(&self, name: &str, total: Option<u64>, unit: &str) -> Phase {
        let meter = Arc::new(Meter::new(name, unit, total, (self.0.clock)()));
        self.0.phases.watch(&meter);
        let bar = match &self.0.shown {
            Shown::Bars(bars) => Some(bars.add(&meter)),
            Shown::Lines(_) | Shown::Quiet => None,
        };
        Phase(Arc::new(Running { meter, bar, progress: self.clone() }))
    }

    /// The phase that was begun last, of those that run.
    #[must_use]
    pub fn running(&self) -> Option<Activity> {
        let meter = self.0.phases.running().pop()?;
        let (name, unit) = (meter.name().to_owned(), meter.unit().to_owned());
        let seconds = meter.elapsed((self.0.clock)()).as_secs_f64();
        Some(Activity { name, done: meter.done(), total: meter.total(), unit, seconds })
    }

    /// What was done so far, by the name of the phase.
    #[must_use]
    pub fn figures(&self) -> Vec<PhaseFigures> {
        self.0.phases.figures((self.0.clock)())
    }

    /// The phases that have ended, in the order of their ends; of very many the last.
    #[must_use]
    pub fn past(&self) -> Vec<PhasePast> {
        self.0.phases.past()
    }

    /// Prints a line above the bars; in every mode, quiet included. Hostile text is the caller's to escape.
    pub fn println(&self, text: &str) {
        self.0.say("INFO", &Fields { message: text, ..Fields::default() });
    }

    /// Prints what a person is asked, as it is.
    pub fn ask(&self, question: &str) {
        self.0.print(question);
    }

    /// Prints why a command ends with an error, or `text` where people read it.
    pub fn fail(&self, error: &Fields<'_>, text: &str) {
        match self.0.format {
            Format::Human => self.0.print(text),
            Format::Json => self.0.say("ERROR", error),
        }
    }

    /// A place for the events of `tracing`, each of which `shown` makes safe to print.
    #[must_use]
    pub fn log_writer(&self, shown: fn(&str) -> String) -> LogWriter {
        LogWriter { progress: self.clone(), shown }
    }

    fn with(shown: Shown, format: Format, sink: Box<dyn Write + Send>, clock: Clock) -> Self {
        Self(Arc::new(Display { shown, phases: Phases::default(), format, sink: Mutex::new(sink), clock }))
    }

    fn with_lines(format: Format, sink: Box<dyn Write + Send>, clock: Clock) -> Self {
        let progress = Self::with(Shown::Lines(Ticker::new()), format, sink, clock);
        if let Shown::Lines(ticker) = &progress.0.shown {
            let display = Arc::downgrade(&progress.0);
            ticker.start(move || display.upgrade().is_some_and(|display| display.tick()));
        }
        progress
    }
}

impl Display {
    fn say(&self, level: &str, fields: &Fields<'_>) {
        match self.format {
            Format::Human => self.print(fields.message),
            Format::Json => self.print(&event::line(level, fields)),
        }
    }

    fn tell(&self, message: &str, meter: &Meter, now: Duration) {
        let phase = Some(Standing {
            phase: meter.name(),
            done: meter.done(),
            total: meter.total(),
            unit: meter.unit(),
            bytes: Some(meter.bytes()).filter(|bytes| *bytes > 0),
            ended: !meter.is_running(),
            seconds: meter.elapsed(now).as_millis() as f64 / 1000.0,
        });
        self.say("INFO", &Fields { message, phase, ..Fields::default() });
    }

    /// A terminal that went away is no reason to stop a migration: what cannot be printed is dropped.
    fn print(&self, text: &str) {
        let plain = || {
            let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
            sink.write_all(format!("{text}\n").as_bytes()).and_then(|()| sink.flush()).unwrap_or_default();
        };
        match &self.shown {
            Shown::Bars(bars) => bars.print(text, plain),
            Shown::Lines(_) | Shown::Quiet => plain(),
        }
    }

    /// One line for every running phase. Whether there will be more.
    fn tick(&self) -> bool {
        if !matches!(self.shown, Shown::Lines(_)) {
            return false;
        }
        let now = (self.clock)();
        for meter in self.phases.running() {
            self.tell(&meter.line(now), &meter, now);
        }
        true
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// A part of a run. Clones count for the same phase; all methods can be called from many tasks at once and never block
/// on the network or a disk. Dropped without [`Phase::finish`], it disappears without its closing line.
#[derive(Clone)]
pub struct Phase(Arc<Running>);

struct Running {
    meter: Arc<Meter>,
    bar: Option<ProgressBar>,
    progress: Progress,
}

impl Phase {
    /// Counts what is done.
    pub fn add(&self, count: u64) {
        self.0.meter.add(count);
        if let Some(bar) = &self.0.bar {
            bar.inc(count);
        }
    }

    /// Counts bytes that were moved; shown from the first one on.
    pub fn add_bytes(&self, bytes: u64) {
        self.0.meter.add_bytes(bytes);
    }

    /// Tells how many there will be, now that it is known or has changed.
    pub fn set_total(&self, total: u64) {
        self.0.meter.set_total(total);
        if let Some(bar) = &self.0.bar {
            bar::set_total(bar, total);
        }
    }

    /// Ends the phase with a line that stays. Later calls do nothing.
    pub fn finish(&self) {
        if !self.0.end() {
            return;
        }
        let (display, meter) = (&*self.0.progress.0, &self.0.meter);
        let now = (display.clock)();
        match &display.shown {
            Shown::Bars(_) | Shown::Lines(_) => display.tell(&meter.closing_line(now), meter, now),
            Shown::Quiet => {}
        }
    }
}

impl Running {
    /// Takes it off the display. Whether it was there.
    fn end(&self) -> bool {
        let ends = self.meter.stop();
        if ends {
            let display = &self.progress.0;
            display.phases.end(&self.meter, (display.clock)());
        }
        if let (true, Some(bar), Shown::Bars(bars)) = (ends, &self.bar, &self.progress.0.shown) {
            bars.remove(bar);
        }
        ends
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Phase").field(&self.0.meter).finish()
    }
}

/// Writes whole events above the bars.
#[derive(Clone, Debug)]
pub struct LogWriter {
    progress: Progress,
    shown: fn(&str) -> String,
}

impl Write for LogWriter {
    /// `tracing_subscriber` writes each event at once, with its line feed.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.progress.0.print(&(self.shown)(text.strip_suffix('\n').unwrap_or(&text)));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
