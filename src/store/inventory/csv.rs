//! Lines of an inventory in CSV: no header, every value in quotes, keys encoded as in URLs, compressed with gzip.

use std::fs::File;
use std::io::BufReader;

use anyhow::{Context, Result, bail};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use csv::StringRecord;
use flate2::read::MultiGzDecoder;

use super::is_current;
use super::manifest::Columns;
use crate::path::{ETag, ObjectKey};
use crate::store::{ObjectInfo, listing};

/// Hands every object of the file to `take`, until that is `false`.
pub(super) fn read(file: File, columns: &Columns, take: &mut impl FnMut(ObjectInfo) -> bool) -> Result<()> {
    let bytes = MultiGzDecoder::new(BufReader::new(file));
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).context("it is no CSV in gzip")? {
        let line = || format!("line {}", record.position().map_or(0, csv::Position::line));
        let object = object(&record, columns).with_context(line)?;
        if object.is_some_and(|object| !take(object)) {
            return Ok(());
        }
    }
    Ok(())
}

fn object(record: &StringRecord, columns: &Columns) -> Result<Option<ObjectInfo>> {
    let text = |column: usize, name: &str| match record.get(column) {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) | None => bail!("there is no {name}"),
    };
    let flag = |column: Option<usize>| match column.and_then(|column| record.get(column)) {
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        None | Some("") => Ok(None),
        Some(other) => bail!("`{other}` is neither true nor false"),
    };
    if !is_current(flag(columns.is_latest)?, flag(columns.is_delete_marker)?) {
        return Ok(None);
    }
    let key = listing::decode(text(columns.key, "Key")?).map_err(|failure| anyhow::anyhow!("{}", failure.message()))?;
    let modified = text(columns.last_modified, "LastModifiedDate")?;
    let modified = DateTime::from_str(modified, DateTimeFormat::DateTime)
        .with_context(|| format!("`{modified}` is no LastModifiedDate"))?;
    let size = text(columns.size, "Size")?;
    Ok(Some(ObjectInfo {
        key: ObjectKey::new(key)?,
        size: size.parse().with_context(|| format!("`{size}` is no Size"))?,
        etag: ETag::new(text(columns.etag, "ETag")?),
        modified_ms: listing::milliseconds(&modified),
    }))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const ALL: Columns =
        Columns { key: 1, size: 5, last_modified: 6, etag: 7, is_latest: Some(3), is_delete_marker: Some(4) };

    fn read_lines(lines: &str) -> Result<Vec<ObjectInfo>> {
        let mut file = tempfile::tempfile()?;
        let mut encoder = GzEncoder::new(&file, Compression::fast());
        encoder.write_all(lines.as_bytes())?;
        encoder.finish()?;
        file.rewind()?;
        let mut objects = Vec::new();
        read(file, &ALL, &mut |object| {
            objects.push(object);
            true
        })?;
        Ok(objects)
    }

    #[test]
    fn only_the_latest_version_that_is_an_object_counts() {
        let line = |key: &str, flags: &str| {
            format!(
                "\"b\",\"{key}\",\"v\",{flags},\"7\",\"2020-08-24T14:27:43.123Z\",\"0cc175b9c0f1b6a831c399e269772661\"\n"
            )
        };
        let lines = [
            line("image/avatar%2B1+%C3%A4.png", "\"true\",\"false\""),
            line("old", "\"false\",\"false\""),
            // Neither a size nor an ETag.
            "\"b\",\"gone\",\"v\",\"true\",\"true\",\"\",\"2020-08-24T14:27:43.000Z\",\"\"\n".to_owned(),
        ];
        let objects = read_lines(&lines.concat()).expect("lines");
        assert_eq!(
            objects,
            [ObjectInfo {
                key: ObjectKey::new("image/avatar+1 ä.png").expect("a key"),
                size: 7,
                etag: ETag::new("0cc175b9c0f1b6a831c399e269772661"),
                modified_ms: 1_598_279_263_000,
            }]
        );
    }

    #[test]
    fn a_line_that_lacks_something_is_named() {
        for (line, told) in [
            ("\"b\",\"k\",\"v\",\"true\",\"false\",\"\",\"2020-08-24T14:27:43.000Z\",\"e\"", "there is no Size"),
            ("\"b\",\"k\",\"v\",\"true\",\"false\",\"x\",\"2020-08-24T14:27:43.000Z\",\"e\"", "`x` is no Size"),
            ("\"b\",\"k\",\"v\",\"true\",\"false\",\"1\",\"yesterday\",\"e\"", "is no LastModifiedDate"),
            ("\"b\",\"k\",\"v\",\"perhaps\",\"false\",\"1\",\"\",\"e\"", "neither true nor false"),
            ("\"b\",\"%FF\",\"v\",\"true\",\"false\",\"1\",\"2020-08-24T14:27:43.000Z\",\"e\"", "not UTF-8"),
            ("\"b\"", "there is no Key"),
        ] {
            let error = read_lines(&format!("{line}\n")).expect_err(told);
            assert!(format!("{error:#}").starts_with("line 1: "), "{error:#}");
            assert!(format!("{error:#}").contains(told), "{error:#}");
        }
    }
}
