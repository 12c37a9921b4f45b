//! The ways on which objects are copied.

/// The two ways of one method: between the buckets, and inside the production bucket, where conditions are tried.
#[derive(Debug)]
pub(super) struct Ways<'a, C> {
    pub(super) copier: &'a C,
    pub(super) canary: &'a C,
}

impl<C> Clone for Ways<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Ways<'_, C> {}
