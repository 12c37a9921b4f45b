//! The merge join: rows, both listings and the ledger meet at each place, in flat memory.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::sync::Arc;

use anyhow::Result;
use futures::Stream;
use tokio::sync::OnceCell;

use super::Listed;
use super::item::{ObjectItem, Place, RowItem};
use super::judge::{Group, Verdict};
use super::objects::{Objects, Shown};
use crate::database::{LedgerObject, LedgerView};
use crate::path::{Mappings, ObjectKey};
use crate::spool::Sorted;

/// Rows of one object that are judged at a time: a default picture may have millions.
const ROWS_A_GROUP: usize = 1000;
/// Ledger lines read at a time.
const LEDGER_PAGE: usize = 2000;

/// Everything that is joined.
pub(super) struct Sides {
    pub(super) rows: Sorted<RowItem>,
    pub(super) sources: Objects,
    pub(super) targets: Objects,
    pub(super) ledger: Option<LedgerView>,
}

/// The groups in the order of their places.
pub(super) fn join(sides: Sides, mappings: &Mappings) -> impl Stream<Item = Result<Group>> {
    let state = Join {
        rows: sides.rows.peekable(),
        sources: sides.sources.sorted.peekable(),
        targets: sides.targets.sorted.peekable(),
        shown: (sides.sources.shown, sides.targets.shown),
        ledger: sides.ledger.map(LedgerCursor::new),
        mappings,
        last: None,
    };
    futures::stream::unfold(
        state,
        |mut state| async move { state.next().await.transpose().map(|group| (group, state)) },
    )
}

struct Join<'a> {
    rows: Peekable<Sorted<RowItem>>,
    sources: Peekable<Sorted<ObjectItem>>,
    targets: Peekable<Sorted<ObjectItem>>,
    shown: (Shown, Shown),
    ledger: Option<LedgerCursor>,
    mappings: &'a Mappings,
    last: Option<Meeting>,
}

/// What is the same for all groups of a place.
struct Meeting {
    place: Place,
    source: Option<ObjectItem>,
    target: Option<ObjectItem>,
    recorded: Option<LedgerObject>,
    verdict: Arc<OnceCell<Verdict>>,
}

impl Join<'_> {
    async fn next(&mut self) -> Result<Option<Group>> {
        loop {
            let places = [
                peeked(&mut self.rows, |row| &row.place)?,
                peeked(&mut self.sources, |object| &object.place)?,
                peeked(&mut self.targets, |object| &object.place)?,
            ];
            let Some(place) = places.into_iter().flatten().min() else { return Ok(None) };
            let Some((source_key, target_key)) = place.twins(self.mappings) else {
                self.drop_place(&place)?;
                continue;
            };
            let continued = self.last.as_ref().is_some_and(|last| last.place == place);
            if !continued {
                let (source, target) = (take_at(&mut self.sources, &place)?, take_at(&mut self.targets, &place)?);
                let recorded = match &mut self.ledger {
                    Some(ledger) => ledger.find(&source_key).await?,
                    None => None,
                };
                self.last = Some(Meeting { place: place.clone(), source, target, recorded, verdict: Arc::default() });
            }
            let rows = self.rows_at(&place)?;
            let Some(meeting) = &self.last else { continue };
            return Ok(Some(Group {
                source: meeting.source.as_ref().map(|item| item.info(source_key.clone())),
                target: meeting.target.as_ref().map(|item| item.info(target_key.clone())),
                listed: Listed {
                    source: meeting.source.as_ref().map(|item| self.shown.0.position(item)),
                    target: meeting.target.as_ref().map(|item| self.shown.1.position(item)),
                },
                as_of: (self.shown.0.as_of, self.shown.1.as_of),
                source_key,
                target_key,
                recorded: meeting.recorded.clone(),
                rows,
                verdict: Arc::clone(&meeting.verdict),
                first: !continued,
            }));
        }
    }

    fn rows_at(&mut self, place: &Place) -> Result<Vec<RowItem>> {
        let mut rows = Vec::new();
        while rows.len() < ROWS_A_GROUP
            && let Some(row) = self.rows.next_if(|row| row.as_ref().map_or(true, |row| row.place == *place))
        {
            rows.push(row?);
        }
        Ok(rows)
    }

    /// A place that names no keys cannot be made by the classifier or a listing; it is passed over.
    fn drop_place(&mut self, place: &Place) -> Result<()> {
        self.rows_at(place)?;
        take_at(&mut self.sources, place)?;
        take_at(&mut self.targets, place)?;
        Ok(())
    }
}

fn peeked<T>(items: &mut Peekable<Sorted<T>>, place: impl Fn(&T) -> &Place) -> Result<Option<Place>>
where
    Sorted<T>: Iterator<Item = Result<T>>,
{
    match items.peek() {
        Some(Ok(item)) => Ok(Some(place(item).clone())),
        // The error is taken out, as a peeked one cannot be moved.
        Some(Err(_)) => items.next().transpose().map(|_| None),
        None => Ok(None),
    }
}

/// The object at a place; a listing that shows a key twice (it was overwritten meanwhile) counts once.
fn take_at(items: &mut Peekable<Sorted<ObjectItem>>, place: &Place) -> Result<Option<ObjectItem>> {
    let mut found = None;
    while let Some(item) = items.next_if(|item| item.as_ref().map_or(true, |item| item.place == *place)) {
        found = Some(item?);
    }
    Ok(found)
}

/// Reads the ledger forward beside the join, a page at a time.
struct LedgerCursor {
    view: LedgerView,
    page: VecDeque<LedgerObject>,
    /// The page holds every object from this key on ...
    from: Option<ObjectKey>,
    /// ... through this one; to the ledger's end if absent.
    through: Option<ObjectKey>,
}

impl LedgerCursor {
    fn new(view: LedgerView) -> Self {
        Self { view, page: VecDeque::new(), from: None, through: None }
    }

    async fn find(&mut self, source: &ObjectKey) -> Result<Option<LedgerObject>> {
        let begun = self.from.as_ref().is_some_and(|from| from <= source);
        if !begun || self.through.as_ref().is_some_and(|through| through < source) {
            self.page = self.view.objects_from(source, LEDGER_PAGE).await?.into();
            self.from = Some(source.clone());
            let full = self.page.len() == LEDGER_PAGE;
            self.through = self.page.back().filter(|_| full).map(|object| object.source.clone());
        }
        while self.page.front().is_some_and(|object| object.source < *source) {
            self.page.pop_front();
        }
        Ok(self.page.front().filter(|object| object.source == *source).cloned())
    }
}
