//! Lines of an inventory in Parquet: keys as they are, times in milliseconds.

use std::fs::File;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use super::is_current;
use crate::path::{ETag, ObjectKey};
use crate::store::ObjectInfo;

/// The columns that are read; only those that the file has are.
const COLUMNS: [&str; 6] = ["key", "is_latest", "is_delete_marker", "size", "last_modified_date", "e_tag"];

/// Hands every object of the file to `take`, until that is `false`.
pub(super) fn read(file: File, take: &mut impl FnMut(ObjectInfo) -> bool) -> Result<()> {
    let reader = SerializedFileReader::new(file).context("it is no Parquet")?;
    let schema = reader.metadata().file_metadata().schema();
    let read: Vec<Arc<Type>> =
        schema.get_fields().iter().filter(|field| COLUMNS.contains(&field.name())).cloned().collect();
    let read = Type::group_type_builder(schema.name()).with_fields(read).build()?;
    for (row, number) in reader.get_row_iter(Some(read))?.zip(1_u64..) {
        let object = row.map_err(anyhow::Error::from).and_then(|row| object(&row));
        let object = object.with_context(|| format!("row {number}"))?;
        if object.is_some_and(|object| !take(object)) {
            return Ok(());
        }
    }
    Ok(())
}

fn object(row: &Row) -> Result<Option<ObjectInfo>> {
    let column = |name: &str| row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
    let flag = |name: &str| match column(name) {
        Some(Field::Bool(flag)) => Ok(Some(*flag)),
        None | Some(Field::Null) => Ok(None),
        Some(other) => bail!("{name} is {other}"),
    };
    if !is_current(flag("is_latest")?, flag("is_delete_marker")?) {
        return Ok(None);
    }
    let text = |name: &str| match column(name) {
        Some(Field::Str(text)) => Ok(text.clone()),
        // Written without saying that it is text.
        Some(Field::Bytes(bytes)) => Ok(std::str::from_utf8(bytes.data()).map(str::to_owned)?),
        other => Err(unexpected(name, other)),
    };
    let number = |name: &str| match column(name) {
        Some(Field::Long(number) | Field::TimestampMillis(number)) => Ok(*number),
        Some(Field::TimestampMicros(number)) => Ok(*number / 1000),
        other => Err(unexpected(name, other)),
    };
    Ok(Some(ObjectInfo {
        key: ObjectKey::new(text("key")?)?,
        size: u64::try_from(number("size")?)?,
        etag: ETag::new(&text("e_tag")?),
        // In whole seconds, as everywhere else.
        modified_ms: number("last_modified_date")?.div_euclid(1000) * 1000,
    }))
}

fn unexpected(name: &str, found: Option<&Field>) -> anyhow::Error {
    match found {
        None | Some(Field::Null) => anyhow::anyhow!("there is no {name}"),
        Some(other) => anyhow::anyhow!("{name} is {other}"),
    }
}
