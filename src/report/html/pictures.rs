//! Pictures in the page: the bytes of the objects themselves, as `data:` addresses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::sample::Sampled;

/// Twins with what came of reading them.
#[derive(Clone, Debug)]
pub struct ShownTwins {
    /// Which.
    pub twins: Sampled,
    /// Of the legacy bucket.
    pub before: Picture,
    /// Of the production bucket.
    pub after: Picture,
}

/// What there is to show of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It was gone when the listing was made.
    Deleted,
    /// It was changed or deleted between the comparison and this.
    Changed,
    /// It is larger than [`super::PICTURE_BYTES_MAX`].
    TooLarge,
    /// It could not be read; the log says why.
    Unreadable,
}

impl Picture {
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Deleted | Self::Changed | Self::TooLarge | Self::Unreadable => None,
        }
    }

    /// An address for `<img>`; `None` if it is no picture that a browser draws without running anything. SVG is not
    /// among them: it is a document that can hold scripts.
    pub(super) fn address(&self) -> Option<String> {
        let bytes = self.bytes()?;
        kind(bytes).map(|kind| format!("data:image/{kind};base64,{}", STANDARD.encode(bytes)))
    }

    /// What is said where there is nothing to show.
    pub(super) fn instead(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "no PNG, JPEG, GIF, WebP or AVIF: not shown",
            Self::Deleted => "deleted, after its copy was checked",
            Self::Changed => "changed since it was compared",
            Self::TooLarge => "larger than 256 KiB: not shown",
            Self::Unreadable => "could not be read: see the log",
        }
    }
}

/// The kind of a picture by its first bytes, whatever its name or its header says.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let at = |start: usize, magic: &[u8]| bytes.get(start..start + magic.len()) == Some(magic);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("jpeg")
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some("gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("webp")
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        Some("avif")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_draws_is_shown() {
        for (bytes, begins) in [
            (b"\x89PNG\r\n\x1a\nrest".as_slice(), Some("data:image/png;base64,iVBORw0KGgpyZXN0")),
            (b"\xff\xd8\xff\xe0", Some("data:image/jpeg;base64,/9j/4A==")),
            (b"GIF89a", Some("data:image/gif;base64,R0lGODlh")),
            (b"RIFF\0\0\0\0WEBP", Some("data:image/webp;base64,UklGRgAAAABXRUJQ")),
            (b"\0\0\0\x1cftypavif", Some("data:image/avif;base64,AAAAHGZ0eXBhdmlm")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg onload=alert(1)>", None),
            (b"<!doctype html><script>", None),
            (b"\x89PN", None),
            (b"", None),
        ] {
            assert_eq!(Picture::Bytes(bytes.to_vec()).address().as_deref(), begins);
        }
        assert_eq!(Picture::Deleted.address(), None);
    }
}
