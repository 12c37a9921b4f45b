//! Listings: strict byte order, at most 1,000 keys, prefix, delimiter, start-after, continuation.

use std::ops::Bound;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::object::StoredObject;
use super::store::{Ignored, Objects, Store};

/// S3 never answers more, whatever is asked.
const PAGE_LIMIT: i32 = 1000;

/// ListObjectsV2.
pub(crate) fn list_objects_v2(
    store: &Store,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let max_keys = cap(input.max_keys)?;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => Position::from_token(token)?,
        (None, Some(key)) => Position::AfterKey(key.clone()),
        (None, None) => Position::Start,
    };
    let query = Query { prefix: opt(&input.prefix), delimiter: opt(&input.delimiter), after, max_keys };
    let page = store.read(&input.bucket, |bucket| page_as_told(store, &bucket.objects, &query))?;
    let encode = Encoding::new(input.encoding_type.as_ref())?;
    let mut contents: Vec<Object> = page.objects.iter().map(|(key, object)| entry(encode.apply(key), object)).collect();
    if store.ignores(Ignored::ListETags) {
        contents.iter_mut().for_each(|object| object.e_tag = None);
    }
    let output = ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode.apply(&query.prefix)),
        delimiter: input.delimiter.as_deref().map(|text| encode.apply(text)),
        start_after: input.start_after.as_deref().map(|text| encode.apply(text)),
        max_keys: Some(max_keys),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(Position::to_token),
        contents: Some(contents),
        common_prefixes: Some(page.prefixes.iter().map(|prefix| common(encode.apply(prefix))).collect()),
        encoding_type: input.encoding_type,
        request_charged: None,
    };
    Ok(S3Response::new(output))
}

/// ListObjects, the old one, which some tools still send.
pub(crate) fn list_objects(
    store: &Store,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let max_keys = cap(input.max_keys)?;
    let delimiter = opt(&input.delimiter);
    let after = match &input.marker {
        None => Position::Start,
        Some(marker) if !delimiter.is_empty() && marker.ends_with(&delimiter) => Position::AfterPrefix(marker.clone()),
        Some(marker) => Position::AfterKey(marker.clone()),
    };
    let query = Query { prefix: opt(&input.prefix), delimiter, after, max_keys };
    let page = store.read(&input.bucket, |bucket| page_of(&bucket.objects, &query))?;
    let encode = Encoding::new(input.encoding_type.as_ref())?;
    let output = ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode.apply(&query.prefix)),
        delimiter: input.delimiter.as_deref().map(|text| encode.apply(text)),
        marker: Some(input.marker.as_deref().map(|text| encode.apply(text)).unwrap_or_default()),
        max_keys: Some(max_keys),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.as_ref().map(|position| encode.apply(position.text())),
        contents: Some(page.objects.iter().map(|(key, object)| entry(encode.apply(key), object)).collect()),
        common_prefixes: Some(page.prefixes.iter().map(|prefix| common(encode.apply(prefix))).collect()),
        encoding_type: input.encoding_type,
        request_charged: None,
    };
    Ok(S3Response::new(output))
}

struct Query {
    prefix: String,
    delimiter: String,
    after: Position,
    max_keys: i32,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    Start,
    AfterKey(String),
    /// After every key that begins so: the last entry was a common prefix.
    AfterPrefix(String),
}

struct Page {
    objects: Vec<(String, Arc<StoredObject>)>,
    prefixes: Vec<String>,
    next: Option<Position>,
}

/// A page as a server gives it that may ignore order and slashes.
fn page_as_told(store: &Store, objects: &Objects, query: &Query) -> Page {
    let shown = !store.ignores(Ignored::ListDoubleSlashes);
    let seen = |key: &String| key.starts_with(&query.prefix) && (shown || !key.contains("//"));
    if !store.ignores(Ignored::ListOrder) {
        let from = objects.range::<str, _>((query.lower_bound(), Bound::Unbounded));
        return page_from(
            from.take_while(|(key, _)| key.starts_with(&query.prefix)).filter(|(key, _)| seen(key)),
            query,
        );
    }
    let mut all: Vec<_> = objects.iter().filter(|(key, _)| seen(key)).collect();
    all.sort_by_key(|(key, _)| slashes_first(key));
    let after = slashes_first(query.after.text());
    page_from(all.into_iter().filter(|(key, _)| slashes_first(key) > after), query)
}

/// In this order a directory stands before all names that begin as it does.
fn slashes_first(key: &str) -> String {
    key.replace('/', "\0")
}

fn page_of(objects: &Objects, query: &Query) -> Page {
    let from = objects.range::<str, _>((query.lower_bound(), Bound::Unbounded));
    page_from(from.take_while(|(key, _)| key.starts_with(&query.prefix)), query)
}

fn page_from<'a>(objects: impl Iterator<Item = (&'a String, &'a Arc<StoredObject>)>, query: &Query) -> Page {
    let mut page = Page { objects: Vec::new(), prefixes: Vec::new(), next: None };
    let room = usize::try_from(query.max_keys).unwrap_or(0);
    if room == 0 {
        return page;
    }
    let mut last = query.after.clone();
    for (key, object) in objects {
        if matches!(&last, Position::AfterPrefix(prefix) if key.starts_with(prefix)) {
            continue;
        }
        if page.objects.len() + page.prefixes.len() == room {
            page.next = Some(last);
            break;
        }
        last = match query.common_prefix(key) {
            Some(prefix) => {
                page.prefixes.push(prefix.clone());
                Position::AfterPrefix(prefix)
            }
            None => {
                page.objects.push((key.clone(), Arc::clone(object)));
                Position::AfterKey(key.clone())
            }
        };
    }
    page
}

impl Query {
    fn lower_bound(&self) -> Bound<&str> {
        let after = self.after.text();
        if after < self.prefix.as_str() || self.after == Position::Start {
            return Bound::Included(&self.prefix);
        }
        Bound::Excluded(after)
    }

    fn common_prefix(&self, key: &str) -> Option<String> {
        if self.delimiter.is_empty() {
            return None;
        }
        let (head, _) = key.strip_prefix(&self.prefix)?.split_once(&self.delimiter)?;
        Some(format!("{}{head}{}", self.prefix, self.delimiter))
    }
}

impl Position {
    fn text(&self) -> &str {
        match self {
            Self::Start => "",
            Self::AfterKey(text) | Self::AfterPrefix(text) => text,
        }
    }

    fn to_token(&self) -> String {
        let mark = match self {
            Self::Start | Self::AfterKey(_) => 'k',
            Self::AfterPrefix(_) => 'p',
        };
        URL_SAFE_NO_PAD.encode(format!("{mark}{}", self.text()))
    }

    fn from_token(token: &str) -> S3Result<Self> {
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(key) = text.as_deref().and_then(|text| text.strip_prefix('k')) {
            return Ok(Self::AfterKey(key.to_owned()));
        }
        if let Some(prefix) = text.as_deref().and_then(|text| text.strip_prefix('p')) {
            return Ok(Self::AfterPrefix(prefix.to_owned()));
        }
        Err(s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
    }
}

/// How names leave: as they are, or as in a query string (`encoding-type=url`).
#[derive(Clone, Copy)]
pub(crate) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(crate) fn new(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    pub(crate) fn apply(self, text: &str) -> String {
        // S3 leaves the slash, and writes a space as `+`.
        const KEPT: &AsciiSet =
            &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, KEPT).to_string().replace(' ', "+"),
        }
    }
}

fn entry(key: String, object: &StoredObject) -> Object {
    let class = object.storage_class.as_deref().unwrap_or("STANDARD").to_owned();
    Object {
        key: Some(key),
        e_tag: Some(object.e_tag_dto()),
        size: i64::try_from(object.size()).ok(),
        last_modified: Some(object.last_modified_dto()),
        storage_class: Some(ObjectStorageClass::from(class)),
        checksum_algorithm: object.checksum.as_ref().map(|checksum| vec![checksum.algorithm.name().to_owned().into()]),
        checksum_type: object.checksum.as_ref().map(super::checksum::StoredChecksum::kind_dto),
        ..Object::default()
    }
}

fn common(prefix: String) -> CommonPrefix {
    CommonPrefix { prefix: Some(prefix) }
}

fn cap(asked: Option<i32>) -> S3Result<i32> {
    let asked = asked.unwrap_or(PAGE_LIMIT);
    if asked < 0 {
        return Err(s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"));
    }
    Ok(asked.min(PAGE_LIMIT))
}

fn opt(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}
