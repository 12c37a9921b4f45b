//! The page that shows a verify to a person: one file that needs no server, no network and no other file.
//!
//! What it holds is bounded, however many rows and objects there are: the rows that matter most ([`ROWS_MAX`]), counts, sizes
//! by power of two, and a few pictures. The CSV has the rest. Whatever comes from the database or the buckets is text: the
//! template escapes it, the script of the page only ever sets it as text, and a content security policy lets the page load
//! nothing and run nothing but that one script.

mod bars;
mod pictures;
mod rows;
mod sample;
mod sizes;
mod statuses;
mod view;

use std::io::{self, BufWriter, Write};
use std::path::Path;

use askama::Template;

use super::file::{Document, NewFile, WriteError};
use super::progress::PhasePast;
use super::summary::VerifySummary;
use super::text::utc_now;
use crate::config::Config;
use crate::finding::Finding;
pub use pictures::{Picture, ShownTwins};
pub use rows::ROWS_MAX;
use rows::{Kept, Row};
use sample::Sample;
pub use sample::{PICTURE_BYTES_MAX, Sampled, Side};
use sizes::Sizes;
use statuses::StatusCounts;
use view::Page;

/// A page in the making: findings go in, one by one.
#[derive(Debug)]
pub struct PageWriter {
    file: NewFile,
    began: String,
    rows: Kept,
    counts: StatusCounts,
    sizes: Sizes,
    sample: Sample,
    /// Whether the object of the place that is being told has been counted.
    counted: bool,
}

/// What a page tells besides the findings.
#[derive(Debug)]
pub struct About<'a> {
    /// The settings of the run.
    pub config: &'a Config,
    /// What was found.
    pub summary: &'a VerifySummary,
    /// The phases of the run, in the order of their ends.
    pub phases: &'a [PhasePast],
    /// The twins of [`PageWriter::sampled`] with their pictures.
    pub twins: &'a [ShownTwins],
}

impl PageWriter {
    /// Begins a page at `path`.
    ///
    /// # Errors
    /// [`WriteError`], before anything long has been done, if it could not be written there.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        Ok(Self {
            file: NewFile::create(path, Document::Page)?,
            began: utc_now(),
            rows: Kept::default(),
            counts: StatusCounts::default(),
            sizes: Sizes::default(),
            sample: Sample::default(),
            counted: false,
        })
    }

    /// The findings of the next place follow: its object counts once, however many rows name it.
    pub fn place(&mut self) {
        self.counted = false;
    }

    /// Takes a line of the report.
    pub fn finding(&mut self, finding: &Finding) {
        self.counts.add(finding.status);
        if self.rows.wants(finding.status) {
            self.rows.add(finding.status, Row::of(finding));
        }
        if let (Some(size), false) = (finding.size, self.counted) {
            self.counted = true;
            self.sizes.add(size);
            self.sample.consider(finding, size);
        }
    }

    /// The twins whose pictures the page is to show.
    #[must_use]
    pub fn sampled(&self) -> Vec<Sampled> {
        self.sample.chosen()
    }

    /// Writes the page and gives it its name.
    ///
    /// # Errors
    /// [`WriteError`]; unless it is [`WriteError::NotSynced`], whatever stood under the name before still does.
    pub fn finish(self, about: &About<'_>) -> Result<(), WriteError> {
        let Self { file, began, rows, counts, sizes, .. } = self;
        let place = file.place().clone();
        let failed = |error: io::Error| WriteError::of(&place, error);
        let mut out = BufWriter::new(file);
        Page::new(about, &began, &rows, &counts, &sizes).write_into(&mut out).map_err(failed)?;
        out.flush().map_err(failed)?;
        out.into_inner().map_err(|error| failed(error.into_error()))?.finish()
    }
}

#[cfg(test)]
mod tests;
