//! What `resolve` settled, for a person.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::BinaryBytes;

use super::Paint;
use super::sheet::{Sheet, Tone, requests};
use crate::report::summary::{ResolveSummary, ResolvedObject};
use crate::report::text::{duration, printable};

/// Which of the two stays, where the other one is, and the next command.
#[must_use]
pub fn resolve_text(summary: &ResolveSummary, paint: Paint) -> String {
    let sentence = match &summary.saved_as {
        Some(_) => "the source's bytes are in production now; what they replaced was put aside",
        None => "the target stays as it is; the decision counts while both objects are what they are now",
    };
    let mut sheet = Sheet::new(paint, Tone::Good, "SETTLED", sentence);
    sheet.facts(&[
        ("source", summary.source.line()),
        ("target", summary.target.line()),
        ("put aside", summary.saved_as.as_deref().map(printable).unwrap_or_default()),
        ("run", summary.run.to_string()),
        ("requests", requests(summary.requests)),
        ("time", duration(summary.elapsed)),
    ]);
    sheet.next("avatarMigrate copy    (moves the rows that waited for this)");
    sheet.finish()
}

impl ResolvedObject {
    /// Key, size, ETag and age on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let written = Duration::from_millis(u64::try_from(self.modified_ms).unwrap_or_default());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (key, etag) = (printable(&self.key), printable(&self.etag));
        format!("{key}, {}, ETag {etag}, written {} ago", BinaryBytes(self.size), duration(now.saturating_sub(written)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_settled_is_said_and_where_the_rest_is() {
        let object = ResolvedObject { key: "a\u{1b}".to_owned(), size: 2048, etag: "e".to_owned(), modified_ms: 0 };
        let kept = ResolveSummary { source: object.clone(), target: object, ..ResolveSummary::default() };
        let text = resolve_text(&kept, Paint::Plain);
        assert!(text.starts_with("SETTLED: the target stays as it is") && !text.contains("put aside"), "{text}");
        assert!(text.contains("a\\u{1b}, 2.00 KiB, ETag e, written "), "{text}");
        let replaced = resolve_text(&ResolveSummary { saved_as: Some("x/y".to_owned()), ..kept }, Paint::Plain);
        assert!(replaced.contains("  put aside  x/y\n"), "{replaced}");
    }
}
