//! The door every request comes through: it counts, and it does what a test's hook asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use hyper::http::Extensions;
use hyper::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::DeleteObjectsInput;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

use super::ACCOUNT;
use super::age;
use super::copy::source_name;
use super::strain::Gauge;

/// A request which was authenticated, or may come unsigned, and is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSeen {
    /// The name of the operation, such as `CopyObject`.
    pub operation: String,
    /// The bucket it names.
    pub bucket: Option<String>,
    /// The key it names, decoded. DeleteObjects names its keys in the body: `None`.
    pub key: Option<String>,
    /// Bucket and key of `x-amz-copy-source`, decoded.
    pub copy_source: Option<(String, String)>,
    /// The prefix of a listing, decoded; `None` where none is sent.
    pub prefix: Option<String>,
    /// Whether it names the ETag that the object is to have (`If-Match`).
    pub if_match: bool,
    /// Whether it brings tags along.
    pub tags: bool,
    /// The how-manieth request this is since the counts were reset, from 1.
    pub sequence: u64,
    /// The same among requests of this operation.
    pub nth: u64,
}

/// One key of a DeleteObjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSeen {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Whether its ETag is named.
    pub if_match: bool,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It is done and answered.
    #[default]
    None,
    /// It is not done; this status with this S3 error code is answered.
    Status(u16, String),
    /// It is done after so many milliseconds.
    DelayMillis(u64),
    /// It is done, and the connection is dropped instead of the answer.
    AnswerLost,
    /// It is not done, and the connection is dropped.
    DropConnection,
    /// It is done, and 200 with an empty body is answered.
    EmptyAnswer,
    /// It is not done; 200 is answered, with an `<Error>` of this S3 error code as its body.
    ErrorInAnswer(String),
    /// It is done; the head of the answer and half of its body come, then the connection is closed. An answer
    /// without a body is lost.
    TruncatedAnswer,
    /// It is done, and the connection is reset (RST) instead of the answer.
    Reset,
    /// It is done, and nothing is answered for as long as the client waits.
    NoAnswer,
    /// It is done twice, and the second answer is given: what a middlebox does that repeats requests.
    Twice,
}

type Hook = dyn Fn(&RequestSeen) -> Fault + Send + Sync;
type ItemHook = dyn Fn(&ItemSeen) -> bool + Send + Sync;
type AfterHook = dyn Fn(&RequestSeen) + Send + Sync;

/// Counts requests and asks the hooks.
#[derive(Default)]
pub(crate) struct Door {
    hook: RwLock<Option<Arc<Hook>>>,
    after: RwLock<Option<Arc<AfterHook>>>,
    items: RwLock<Option<Arc<ItemHook>>>,
    sequence: AtomicU64,
    counts: Mutex<BTreeMap<String, u64>>,
    /// Whose objects everybody may read; whether everybody may list them too.
    public: RwLock<BTreeMap<String, bool>>,
    pub(crate) gauge: Gauge,
}

/// How the door tells the connection what to do with the answer.
#[derive(Clone, Default)]
pub(crate) struct Verdict(Arc<OnceLock<(RequestSeen, Fault)>>);

impl Verdict {
    /// What the hook asked for; [`Fault::None`] if it was not asked.
    pub(crate) fn fault(&self) -> Fault {
        self.0.get().map(|(_, fault)| fault.clone()).unwrap_or_default()
    }

    fn request(&self) -> Option<&RequestSeen> {
        self.0.get().map(|(request, _)| request)
    }
}

/// Marks the second time of a request that is done twice: it is the server's own doing, neither counted nor asked about.
#[derive(Clone)]
pub(crate) struct Repetition;

/// Marks a request of somebody who may not list the bucket, and is not told what is absent there.
#[derive(Clone)]
struct Unlisted;

/// An object that is not there, as whoever asks is told of it (AWS: "GetObject", Permissions).
pub(crate) fn absent(error: S3Error, extensions: &Extensions) -> S3Error {
    let hidden = extensions.get::<Unlisted>().is_some() && *error.code() == S3ErrorCode::NoSuchKey;
    if hidden { denied() } else { error }
}

fn denied() -> S3Error {
    s3_error!(AccessDenied, "Access Denied")
}

impl Door {
    pub(crate) fn open_to_everybody(&self, bucket: &str, may_list: bool) {
        self.public.write().unwrap_or_else(PoisonError::into_inner).insert(bucket.to_owned(), may_list);
    }

    /// Lets an unsigned request in if it reads an object of a bucket that is open to everybody.
    fn admit_unsigned(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = ["GetObject", "HeadObject"].contains(&context.s3_op().name());
        let bucket = context.s3_path().get_bucket_name().unwrap_or_default();
        let may_list = self.public.read().unwrap_or_else(PoisonError::into_inner).get(bucket).copied();
        let may_list = may_list.filter(|_| reads).ok_or_else(denied)?;
        if !may_list {
            context.extensions_mut().insert(Unlisted);
        }
        Ok(())
    }

    pub(crate) fn set_hook(&self, hook: Option<Arc<Hook>>) {
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    pub(crate) fn set_after_hook(&self, hook: Option<Arc<AfterHook>>) {
        *self.after.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    pub(crate) fn set_item_hook(&self, hook: Option<Arc<ItemHook>>) {
        *self.items.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// Whether a request may have to be done twice.
    pub(crate) fn is_hooked(&self) -> bool {
        self.hook.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Tells the second hook that a request is done.
    pub(crate) fn done(&self, verdict: &Verdict) {
        let hook = self.after.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let (Some(hook), Some(request)) = (hook, verdict.request()) {
            tokio::task::block_in_place(|| hook(request));
        }
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reset_counts(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.sequence.store(0, Ordering::Relaxed);
    }

    fn count(&self, operation: &str) -> (u64, u64) {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(operation) {
            *count += 1;
            return (sequence, *count);
        }
        counts.insert(operation.to_owned(), 1);
        (sequence, 1)
    }
}

/// The door as s3s knows it.
pub(crate) struct Guard(pub(crate) Arc<Door>);

#[async_trait::async_trait]
impl S3Access for Guard {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            self.0.admit_unsigned(context)?;
        }
        age::check(context.headers())?;
        if context.extensions_mut().get::<Repetition>().is_some() {
            return expect_owner(context.headers());
        }
        let (sequence, nth) = self.0.count(context.s3_op().name());
        let (admitted, latency) = self.0.gauge.admit(context.s3_op().name());
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        if !admitted {
            return Err(s3_error!(SlowDown, "Please reduce your request rate."));
        }
        expect_owner(context.headers())?;
        let hook = self.0.hook.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(hook) = hook else { return Ok(()) };
        let request = seen(context, sequence, nth);
        // A hook may wait for its test: other requests are answered meanwhile.
        let fault = tokio::task::block_in_place(|| hook(&request));
        if let Some(verdict) = context.extensions_mut().get::<Verdict>() {
            // Set once: every request has a verdict of its own.
            verdict.0.get_or_init(|| (request, fault.clone()));
        }
        match fault {
            Fault::None
            | Fault::AnswerLost
            | Fault::EmptyAnswer
            | Fault::TruncatedAnswer
            | Fault::Reset
            | Fault::NoAnswer
            | Fault::Twice => Ok(()),
            Fault::DelayMillis(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
            Fault::Status(status, code) => Err(error(status, &code)),
            Fault::DropConnection => Err(error(500, "InternalError")),
            Fault::ErrorInAnswer(code) => Err(error(200, &code)),
        }
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        check_items(&self.0, &request.input)
    }
}

/// A batch with a key that may not be deleted is refused as a whole; AWS refuses that key in its answer.
fn check_items(door: &Door, input: &DeleteObjectsInput) -> S3Result<()> {
    let hook = door.items.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(hook) = hook else { return Ok(()) };
    for object in &input.delete.objects {
        let (bucket, key) = (input.bucket.clone(), object.key.clone());
        if !hook(&ItemSeen { bucket, key, if_match: object.e_tag.is_some() }) {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
    }
    Ok(())
}

fn seen(context: &S3AccessContext<'_>, sequence: u64, nth: u64) -> RequestSeen {
    RequestSeen {
        operation: context.s3_op().name().to_owned(),
        bucket: context.s3_path().get_bucket_name().map(str::to_owned),
        key: context.s3_path().get_object_key().map(str::to_owned),
        copy_source: source_name(context.headers()).ok(),
        prefix: prefix(context.uri().query().unwrap_or_default()),
        if_match: context.headers().contains_key("if-match"),
        tags: context.headers().get("x-amz-tagging").is_some_and(|tags| !tags.is_empty()),
        sequence,
        nth,
    }
}

fn prefix(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|part| part.strip_prefix("prefix="))?;
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn error(status: u16, code: &str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, "A fault that the test asked for");
    error.set_status_code(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    error
}

/// `x-amz-expected-bucket-owner` and its twin for the source: another account's bucket is refused.
fn expect_owner(headers: &HeaderMap) -> S3Result {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if headers.get(name).is_some_and(|owner| owner.as_bytes() != ACCOUNT.as_bytes()) {
            return Err(denied());
        }
    }
    Ok(())
}
