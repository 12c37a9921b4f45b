//! What goes over the wire, counted where it goes: every attempt of every request, so that the sum is what S3 bills.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use serde::Serialize;

use crate::pace::Throttles;

/// Requests sent so far, retries included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Listings of objects or of uploads.
    pub list: u64,
    /// HEADs.
    pub head: u64,
    /// GETs of objects and of tags.
    pub get: u64,
    /// Uploads: whole objects, parts, and the frame of a multipart upload.
    pub put: u64,
    /// Server-side copies of whole objects and of parts.
    pub copy: u64,
    /// Deletes; one of up to 1,000 keys counts once.
    pub delete: u64,
}

impl Requests {
    /// All kinds together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.list + self.head + self.get + self.put + self.copy + self.delete
    }

    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            list: of(self.list, other.list),
            head: of(self.head, other.head),
            get: of(self.get, other.get),
            put: of(self.put, other.put),
            copy: of(self.copy, other.copy),
            delete: of(self.delete, other.delete),
        }
    }
}

impl Add for Requests {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.each(other, u64::saturating_add)
    }
}

impl AddAssign for Requests {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What was added between two readings of a counter; the earlier reading is subtracted and nothing goes below zero.
impl Sub for Requests {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.each(other, u64::saturating_sub)
    }
}

impl Sum for Requests {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// The running count of one or more clients. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RequestCounters(Arc<Counters>);

impl RequestCounters {
    /// The counts at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Requests {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests {
            list: read(&self.0.list),
            head: read(&self.0.head),
            get: read(&self.0.get),
            put: read(&self.0.put),
            copy: read(&self.0.copy),
            delete: read(&self.0.delete),
        }
    }

    /// Answers that asked for fewer requests (429 and 503): what the pace has to see and the caller of an operation,
    /// whose retry succeeded, does not.
    #[must_use]
    pub fn throttles(&self) -> Throttles {
        self.0.throttles.clone()
    }

    fn counter(&self, class: RequestClass) -> &AtomicU64 {
        match class {
            RequestClass::List => &self.0.list,
            RequestClass::Head => &self.0.head,
            RequestClass::Get => &self.0.get,
            RequestClass::Put => &self.0.put,
            RequestClass::Copy => &self.0.copy,
            RequestClass::Delete => &self.0.delete,
        }
    }
}

impl Intercept for RequestCounters {
    fn name(&self) -> &'static str {
        "RequestCounters"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        tracing::trace!(method = request.method(), url = request.uri(), "asked");
        let copies = request.headers().contains_key("x-amz-copy-source");
        if let Some(class) = RequestClass::of(request.method(), request.uri(), copies) {
            self.counter(class).fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let status = response.status().as_u16();
        if matches!(status, 429 | 503) {
            self.0.throttles.add();
        }
        tracing::trace!(status, request = response.headers().get("x-amz-request-id").unwrap_or_default(), "answered");
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Counters {
    list: AtomicU64,
    head: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
    copy: AtomicU64,
    delete: AtomicU64,
    throttles: Throttles,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestClass {
    List,
    Head,
    Get,
    Put,
    Copy,
    Delete,
}

impl RequestClass {
    /// The class of a request to S3, told by its method, its query and whether it names a copy source.
    fn of(method: &str, uri: &str, copies: bool) -> Option<Self> {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let asks = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        match method {
            "HEAD" => Some(Self::Head),
            "GET" if asks("list-type") || asks("uploads") => Some(Self::List),
            "GET" => Some(Self::Get),
            "PUT" if copies => Some(Self::Copy),
            "POST" if asks("delete") => Some(Self::Delete),
            "PUT" | "POST" => Some(Self::Put),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_what_is_on_the_wire() {
        for (method, uri, copies, class) in [
            ("GET", "http://h/b/?list-type=2&prefix=a", false, Some(RequestClass::List)),
            ("GET", "http://h/b/?prefix=a&uploads", false, Some(RequestClass::List)),
            ("GET", "http://h/b/k?tagging", false, Some(RequestClass::Get)),
            ("GET", "http://h/b/list-type", false, Some(RequestClass::Get)),
            ("HEAD", "http://h/b/k", false, Some(RequestClass::Head)),
            ("PUT", "http://h/b/k?x-id=CopyObject", true, Some(RequestClass::Copy)),
            ("PUT", "http://h/b/k?x-id=PutObject", false, Some(RequestClass::Put)),
            ("POST", "http://h/b/k?uploads", false, Some(RequestClass::Put)),
            ("POST", "http://h/b/?delete", false, Some(RequestClass::Delete)),
            ("DELETE", "http://h/b/k", false, Some(RequestClass::Delete)),
            ("OPTIONS", "http://h/b/k", false, None),
        ] {
            assert_eq!(RequestClass::of(method, uri, copies), class, "{method} {uri}");
        }
    }
}
