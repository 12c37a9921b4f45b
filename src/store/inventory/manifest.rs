//! `manifest.json`: which bucket an inventory describes, when it was made, and where its lines are.

use anyhow::Result;
use serde::Deserialize;

use super::{Moment, usage};
use crate::config::InventoryAddress;

/// What is needed of a manifest.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    /// The bucket that it describes.
    pub(super) bucket: String,
    /// The bucket that holds the data files.
    pub(super) holder: String,
    pub(super) made: Moment,
    pub(super) format: Format,
    pub(super) files: Vec<DataFile>,
}

/// How lines are written.
#[derive(Clone, Debug)]
pub(super) enum Format {
    /// Comma-separated and compressed with gzip, with these columns.
    Csv(Columns),
    /// Apache Parquet, which names its columns itself.
    Parquet,
}

/// Which column of a line is what, from 0 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) key: usize,
    pub(super) size: usize,
    pub(super) last_modified: usize,
    pub(super) etag: usize,
    pub(super) is_latest: Option<usize>,
    pub(super) is_delete_marker: Option<usize>,
}

/// A file with lines.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DataFile {
    pub(super) key: String,
    /// In bytes.
    pub(super) size: u64,
    /// In hexadecimal.
    #[serde(rename = "MD5checksum")]
    pub(super) md5: String,
}

/// AWS: "Locating your inventory list", section "Inventory manifest".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    source_bucket: String,
    destination_bucket: String,
    creation_timestamp: String,
    file_format: String,
    file_schema: String,
    files: Vec<DataFile>,
}

/// What has to be known of an object: the names in CSV and in Parquet.
const NEEDED: [(&str, &str); 4] =
    [("Key", "key"), ("Size", "size"), ("LastModifiedDate", "last_modified_date"), ("ETag", "e_tag")];

/// Reads a manifest.
pub(super) fn parse(address: &InventoryAddress, text: &[u8]) -> Result<Manifest> {
    let unusable = |why: String| {
        usage(format!("{address} is no manifest of an S3 Inventory: {why}"), "name a manifest.json as S3 wrote it")
    };
    let written: Written = serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
    let made: i64 = written
        .creation_timestamp
        .parse()
        .map_err(|_| unusable("its creationTimestamp is no number of milliseconds".to_owned()))?;
    let format = match written.file_format.to_ascii_uppercase().as_str() {
        "CSV" => Format::Csv(columns(address, &written.file_schema)?),
        "PARQUET" => {
            refuse_missing(
                address,
                NEEDED.iter().filter(|(_, name)| !names(&written.file_schema).any(|n| n == *name)),
            )?;
            Format::Parquet
        }
        "ORC" => {
            let hint = "set up an inventory in CSV or Parquet, or leave --inventory out, and the bucket is listed";
            return Err(usage(format!("{address} is an inventory in ORC, which this program does not read"), hint));
        }
        other => return Err(unusable(format!("its fileFormat is `{other}`"))),
    };
    // An ARN: `arn:aws:s3:::bucket`.
    let holder = written.destination_bucket.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Manifest { bucket: written.source_bucket, holder, made: Moment(made), format, files: written.files })
}

/// Where the columns of CSV stand: `Bucket, Key, VersionId, …`.
fn columns(address: &InventoryAddress, schema: &str) -> Result<Columns> {
    let position = |name: &str| schema.split(',').position(|column| column.trim() == name);
    refuse_missing(address, NEEDED.iter().filter(|(name, _)| position(name).is_none()))?;
    let [key, size, last_modified, etag] = NEEDED.map(|(name, _)| position(name).unwrap_or_default());
    let (is_latest, is_delete_marker) = (position("IsLatest"), position("IsDeleteMarker"));
    Ok(Columns { key, size, last_modified, etag, is_latest, is_delete_marker })
}

/// The names in a schema of Parquet: `message s3.inventory { required binary key (STRING); … }`.
fn names(schema: &str) -> impl Iterator<Item = &str> {
    schema.split(['{', ';', '}']).filter_map(|field| field.split('(').next()?.split_whitespace().last())
}

fn refuse_missing<'a>(
    address: &InventoryAddress,
    missing: impl Iterator<Item = &'a (&'static str, &'static str)>,
) -> Result<()> {
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the inventory {address} does not tell {}", missing.join(", "));
    Err(usage(message, "add these fields to the configuration of the inventory, and take the next one that S3 writes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: &str, schema: &str) -> String {
        format!(
            r#"{{"sourceBucket": "legacy-s3", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
                "creationTimestamp": "1514944800000", "fileFormat": "{format}", "fileSchema": "{schema}", "files": [
                {{"key": "inv/legacy-s3/data/a.csv.gz", "size": 21, "MD5checksum": "f11166069f1990abeb9c97ace9cdfabc"}}]}}"#
        )
    }

    fn parsed(text: &str) -> Result<Manifest> {
        let address = InventoryAddress { bucket: "reports".to_owned(), key: "inv/manifest.json".to_owned() };
        parse(&address, text.as_bytes())
    }

    fn refusal(text: &str) -> String {
        parsed(text).map_or_else(|error| error.to_string(), |manifest| panic!("{manifest:?}"))
    }

    #[test]
    fn columns_stand_where_the_schema_says() {
        let text = written("CSV", "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag");
        let manifest = parsed(&text).expect("a manifest");
        assert_eq!((manifest.bucket.as_str(), manifest.holder.as_str()), ("legacy-s3", "reports"));
        assert_eq!(manifest.made.to_string(), "2018-01-03 02:00 UTC");
        let Format::Csv(columns) = manifest.format else { panic!("{:?}", manifest.format) };
        let all = (columns.key, columns.is_latest, columns.is_delete_marker, columns.size, columns.last_modified);
        assert_eq!((all, columns.etag), ((1, Some(3), Some(4), 5, 6), 7));
    }

    #[test]
    fn both_forms_of_a_parquet_schema_are_read() {
        let old = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); optional int64 size; \
                   optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8); }";
        let new = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  optional int64 \
                   size;  optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  optional binary e_tag (STRING);}";
        for schema in [old, new] {
            assert!(matches!(parsed(&written("Parquet", schema)).expect("a manifest").format, Format::Parquet));
        }
        let told = refusal(&written("Parquet", &old.replace("e_tag", "x").replace("size", "y")));
        assert!(told.ends_with("does not tell Size, ETag"), "{told}");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (text, told) in [
            (written("CSV", "Bucket, Key, Size"), "does not tell LastModifiedDate, ETag"),
            (written("ORC", "struct<bucket:string>"), "in ORC"),
            (written("XML", ""), "its fileFormat is `XML`"),
            ("[]".to_owned(), "is no manifest"),
            (written("CSV", "").replace("1514944800000", "now"), "its creationTimestamp is no number"),
            ("{}".to_owned(), "missing field `sourceBucket`"),
        ] {
            assert!(refusal(&text).contains(told), "{told}: {}", refusal(&text));
        }
    }
}
