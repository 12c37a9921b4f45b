//! Inventories as S3 writes them, made of what the embedded server holds.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use avatar_migrate_kit::StoredObject;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::support::World;

pub(crate) const CSV: &str =
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";
pub(crate) const PARQUET: &str = "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);  \
    optional boolean is_latest;  optional boolean is_delete_marker;  optional int64 size;  \
    optional int64 last_modified_date (TIMESTAMP(MILLIS,true));  optional binary e_tag (STRING);}";

/// An inventory that is about to be written into the bucket `reports`.
pub(crate) struct Inventory {
    pub(crate) of: &'static str,
    pub(crate) format: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) made: SystemTime,
    /// Names and bytes of the data files.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Inventory {
    /// Of all that a bucket holds below a prefix by now, in CSV, with old versions and a delete marker.
    pub(crate) fn csv(world: &World, of: &'static str, filter: &str) -> Self {
        let objects = objects(world, of, filter);
        let halves = objects.split_at(objects.len() / 2);
        let files = [halves.0, halves.1].into_iter().map(csv).zip(["one.csv.gz", "two.csv.gz"]);
        let files = files.map(|(bytes, name)| (name.to_owned(), bytes)).collect();
        Self { of, format: "CSV", schema: CSV, made: SystemTime::now(), files }
    }

    /// The same in Parquet.
    pub(crate) fn parquet(world: &World, of: &'static str) -> Self {
        let files = vec![("all.parquet".to_owned(), parquet(&objects(world, of, "")))];
        Self { of, format: "Parquet", schema: PARQUET, made: SystemTime::now(), files }
    }

    /// Written by other programs.
    pub(crate) fn given(of: &'static str, parquet: &[u8]) -> Self {
        let files = vec![("given.parquet".to_owned(), parquet.to_vec())];
        Self { of, format: "Parquet", schema: PARQUET, made: SystemTime::now(), files }
    }

    /// As if S3 had begun to write it so long ago.
    pub(crate) fn aged(self, by: Duration) -> Self {
        Self { made: SystemTime::now() - by, ..self }
    }

    /// Writes it; gives its address.
    pub(crate) fn write(&self, world: &World) -> String {
        let folder = format!("inv/{}/all", self.of);
        let files = self.files.iter().map(|(name, bytes)| {
            let key = format!("{folder}/data/{name}");
            world.s3.put("reports", &key, bytes.clone());
            json!({"key": key, "size": bytes.len(), "MD5checksum": md5(bytes)})
        });
        let manifest = json!({
            "sourceBucket": self.of,
            "destinationBucket": "arn:aws:s3:::reports",
            "version": "2016-11-30",
            "creationTimestamp": self.made.duration_since(UNIX_EPOCH).expect("a time").as_millis().to_string(),
            "fileFormat": self.format,
            "fileSchema": self.schema,
            "files": files.collect::<Vec<_>>(),
        });
        let key = format!("{folder}/2026-11-20T01-00Z/manifest.json");
        put_manifest(world, &key, manifest.to_string().as_bytes());
        format!("s3://reports/{key}")
    }
}

/// A manifest with its checksum.
pub(crate) fn put_manifest(world: &World, key: &str, manifest: &[u8]) {
    world.s3.put("reports", key, manifest.to_vec());
    world.s3.put("reports", &key.replace(".json", ".checksum"), format!("{}\n", md5(manifest)));
}

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("room");
        text
    })
}

fn objects(world: &World, bucket: &str, filter: &str) -> Vec<(String, StoredObject)> {
    let keys = world.s3.keys(bucket).into_iter().filter(|key| key.starts_with(filter));
    keys.filter_map(|key| world.s3.object(bucket, &key).map(|object| (key, object))).collect()
}

fn csv(objects: &[(String, StoredObject)]) -> Vec<u8> {
    let mut lines = String::new();
    for (key, object) in objects {
        let key = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
        let modified = aws_sdk_s3::primitives::DateTime::from(object.last_modified);
        let modified = modified.fmt(aws_sdk_s3::primitives::DateTimeFormat::DateTime).expect("a time");
        let rest = format!("\"{}\",\"{modified}\",\"{}\",\"STANDARD\"", object.size(), object.e_tag);
        writeln!(lines, "\"b\",\"{key}\",\"v2\",\"true\",\"false\",{rest}").expect("room");
        writeln!(lines, "\"b\",\"{key}\",\"v1\",\"false\",\"false\",\"1\",\"{modified}\",\"old\",\"STANDARD\"")
            .expect("room");
    }
    lines.push_str(
        "\"b\",\"image%2Favatar-gone.png\",\"v3\",\"true\",\"true\",\"\",\"2026-01-01T00:00:00.000Z\",\"\",\"\"\n",
    );
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(lines.as_bytes()).expect("room");
    encoder.finish().expect("room")
}

fn parquet(objects: &[(String, StoredObject)]) -> Vec<u8> {
    let schema = parse_message_type(PARQUET).expect("a schema").into();
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, WriterProperties::builder().build().into()).expect("a file");
    let mut group = writer.next_row_group().expect("a group");
    let there = vec![1; objects.len()];
    let texts = |text: fn(&(String, StoredObject)) -> &str| -> Vec<ByteArray> {
        objects.iter().map(|object| ByteArray::from(text(object))).collect()
    };
    let numbers =
        |number: fn(&StoredObject) -> i64| -> Vec<i64> { objects.iter().map(|(_, object)| number(object)).collect() };
    let mut nth = 0;
    while let Some(mut column) = group.next_column().expect("a column") {
        let written = match nth {
            0 => column.typed::<ByteArrayType>().write_batch(&texts(|_| "b"), None, None),
            1 => column.typed::<ByteArrayType>().write_batch(&texts(|(key, _)| key), None, None),
            2 | 3 => column.typed::<BoolType>().write_batch(&vec![nth == 2; objects.len()], Some(&there), None),
            4 => {
                let sizes = numbers(|object| i64::try_from(object.size()).expect("a size"));
                column.typed::<Int64Type>().write_batch(&sizes, Some(&there), None)
            }
            5 => {
                let times = numbers(|object| {
                    let since = object.last_modified.duration_since(UNIX_EPOCH).expect("a time");
                    i64::try_from(since.as_millis()).expect("a time")
                });
                column.typed::<Int64Type>().write_batch(&times, Some(&there), None)
            }
            _ => column.typed::<ByteArrayType>().write_batch(&texts(|(_, object)| &object.e_tag), Some(&there), None),
        };
        written.expect("values");
        column.close().expect("a column");
        nth += 1;
    }
    group.close().expect("a group");
    writer.close().expect("a file");
    bytes
}
