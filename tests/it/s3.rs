//! The S3 servers that a world can stand on, as tests see them: objects with everything that a copy has to keep.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use avatar_migrate_kit::{EmbeddedS3, ObjectHeaders, Seaweed};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use futures::StreamExt;
use tokio::runtime::Runtime;

/// An object without its place: what a copy has to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Seen {
    /// A picture as the application uploads it.
    pub(crate) fn picture(body: Vec<u8>) -> Self {
        let one = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        Self {
            body,
            content_type: Some("image/png".to_owned()),
            cache_control: Some("max-age=60".to_owned()),
            metadata: one("owner", &"ünïcode".escape_default().to_string()),
            tags: one("team", "blue"),
        }
    }
}

/// An S3 server with two buckets for one world.
pub(crate) trait Server {
    /// Endpoint, access key, secret key and region.
    fn login(&self) -> [&str; 4];
    /// The names of the legacy and of the production bucket.
    fn buckets(&self) -> (&str, &str);
    fn put(&self, bucket: &str, key: &str, object: Seen);
    fn seen(&self, bucket: &str, key: &str) -> Option<Seen>;
    fn keys(&self, bucket: &str) -> Vec<String>;
}

impl<S: Server> Server for Arc<S> {
    fn login(&self) -> [&str; 4] {
        self.as_ref().login()
    }

    fn buckets(&self) -> (&str, &str) {
        self.as_ref().buckets()
    }

    fn put(&self, bucket: &str, key: &str, object: Seen) {
        self.as_ref().put(bucket, key, object);
    }

    fn seen(&self, bucket: &str, key: &str) -> Option<Seen> {
        self.as_ref().seen(bucket, key)
    }

    fn keys(&self, bucket: &str) -> Vec<String> {
        self.as_ref().keys(bucket)
    }
}

impl Server for EmbeddedS3 {
    fn login(&self) -> [&str; 4] {
        [self.endpoint(), self.access_key(), self.secret_key(), self.region()]
    }

    fn buckets(&self) -> (&str, &str) {
        ("legacy-s3", "production-s3")
    }

    fn put(&self, bucket: &str, key: &str, object: Seen) {
        let Seen { body, content_type, cache_control, metadata, tags } = object;
        let headers = ObjectHeaders { content_type, cache_control, metadata, ..ObjectHeaders::default() };
        self.put_with(bucket, key, body, headers, |object| {
            object.tags = tags.into();
            // Older than the least age of an orphan.
            object.last_modified -= Duration::from_secs(2 * 3600);
        });
    }

    fn seen(&self, bucket: &str, key: &str) -> Option<Seen> {
        let object = self.object(bucket, key)?;
        Some(Seen {
            body: object.body.to_vec(),
            content_type: object.headers.content_type.clone(),
            cache_control: object.headers.cache_control.clone(),
            metadata: object.headers.metadata.clone(),
            tags: object.tags.as_ref().clone(),
        })
    }

    fn keys(&self, bucket: &str) -> Vec<String> {
        Self::keys(self, bucket)
    }
}

/// Two buckets of the SeaweedFS that all tests share.
pub(crate) struct OnSeaweed {
    server: &'static Seaweed,
    runtime: Runtime,
    client: Client,
    source: String,
    target: String,
}

impl OnSeaweed {
    pub(crate) fn new() -> Self {
        let server = Seaweed::shared();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = {
            let _inside = runtime.enter();
            server.client()
        };
        Self { server, runtime, client, source: server.bucket("legacy"), target: server.bucket("production") }
    }

    /// Many small objects of the legacy bucket.
    pub(crate) fn put_many(&self, keys: &[String]) {
        let puts = futures::stream::iter(keys).map(|key| {
            let request = self.client.put_object().bucket(&self.source).key(key).body(ByteStream::from_static(b"x"));
            async move { request.send().await.unwrap_or_else(|error| panic!("PUT {key:?}: {error:?}")) }
        });
        self.runtime.block_on(puts.buffer_unordered(64).for_each(async |_| ()));
    }
}

impl Server for OnSeaweed {
    fn login(&self) -> [&str; 4] {
        [self.server.endpoint(), self.server.access_key(), self.server.secret_key(), self.server.region()]
    }

    fn buckets(&self) -> (&str, &str) {
        (&self.source, &self.target)
    }

    fn put(&self, bucket: &str, key: &str, object: Seen) {
        let tags: Vec<String> = object.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(ByteStream::from(object.body))
            .set_content_type(object.content_type)
            .set_cache_control(object.cache_control)
            .set_metadata(Some(object.metadata.into_iter().collect()))
            .tagging(tags.join("&"));
        self.runtime.block_on(request.send()).unwrap_or_else(|error| panic!("PUT {key:?}: {error:?}"));
    }

    fn seen(&self, bucket: &str, key: &str) -> Option<Seen> {
        self.runtime.block_on(async {
            let object = match self.client.get_object().bucket(bucket).key(key).send().await {
                Ok(object) => object,
                Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return None,
                Err(error) => panic!("GET {key:?}: {error:?}"),
            };
            let tags = self.client.get_object_tagging().bucket(bucket).key(key).send().await.expect(key);
            let tag = |tag: &aws_sdk_s3::types::Tag| (tag.key().to_owned(), tag.value().to_owned());
            Some(Seen {
                content_type: object.content_type().map(str::to_owned),
                cache_control: object.cache_control().map(str::to_owned),
                metadata: object.metadata().cloned().unwrap_or_default().into_iter().collect(),
                tags: tags.tag_set().iter().map(tag).collect(),
                body: object.body.collect().await.expect(key).to_vec(),
            })
        })
    }

    fn keys(&self, bucket: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_objects_v2().bucket(bucket).set_continuation_token(token);
            let page = self.runtime.block_on(request.send()).expect(bucket);
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                keys.sort();
                return keys;
            }
        }
    }
}
