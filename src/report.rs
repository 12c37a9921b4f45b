//! What a run tells: the report, its page, the summaries and the progress. A sink: nothing takes evidence from here.

pub mod csv;
pub mod file;
pub mod html;
pub mod human;
pub mod metrics;
pub mod progress;
pub mod summary;
pub mod text;
