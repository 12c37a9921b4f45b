//! Sorting and keeping more than memory holds: runs on local disk, merged in flat memory.
//!
//! The files are unlinked as soon as they are made: they vanish with the process, and nobody else can read or forge them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of encoded items that a run holds in memory before it is sorted and written: few, so that a million items take no more
/// memory than ten thousand.
const RUN_BYTES: usize = 1 << 20;
/// Runs of a level that become one of the next: each item is written once a level, and a level more takes sixteen times the items.
const RUNS_MAX: usize = 16;
/// The buffer of an open file, in bytes; in the end up to [`RUNS_MAX`] a level are open.
const BUFFER_BYTES: usize = 16 << 10;

/// Takes items in any order and gives them back sorted.
#[derive(Debug)]
pub struct Sorter<T> {
    directory: PathBuf,
    run_bytes: usize,
    bytes: usize,
    items: Vec<T>,
    /// What was spilled: the runs of each level, those of the last one being the longest.
    levels: Vec<Vec<Spool<T>>>,
}

impl<T: Ord + Serialize + DeserializeOwned> Sorter<T> {
    /// A sorter that spills to `directory`.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self::with_run_bytes(directory, RUN_BYTES)
    }

    fn with_run_bytes(directory: &Path, run_bytes: usize) -> Self {
        Self { directory: directory.to_owned(), run_bytes, bytes: 0, items: Vec::new(), levels: Vec::new() }
    }

    /// Adds an item of about `bytes` bytes.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn push(&mut self, item: T, bytes: usize) -> Result<()> {
        self.items.push(item);
        self.bytes += bytes + size_of::<T>();
        if self.bytes >= self.run_bytes {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        self.items.sort_unstable();
        self.bytes = 0;
        let mut run = Spool::new(&self.directory)?;
        for item in self.items.drain(..) {
            run.push(&item)?;
        }
        for runs in &mut self.levels {
            runs.push(run);
            if runs.len() < RUNS_MAX {
                return Ok(());
            }
            run = merged(&self.directory, std::mem::take(runs))?;
        }
        self.levels.push(vec![run]);
        Ok(())
    }

    /// The items in order.
    ///
    /// # Errors
    /// If what was spilled cannot be read back.
    pub fn finish(mut self) -> Result<Sorted<T>> {
        self.items.sort_unstable();
        Sorted::merge(self.levels.into_iter().flatten(), self.items)
    }
}

/// Several runs as one.
fn merged<T: Ord + Serialize + DeserializeOwned>(directory: &Path, runs: Vec<Spool<T>>) -> Result<Spool<T>> {
    let mut one = Spool::new(directory)?;
    for item in Sorted::merge(runs, Vec::new())? {
        one.push(&item?)?;
    }
    Ok(one)
}

/// Sorted items, read from disk as they are needed.
#[derive(Debug)]
pub struct Sorted<T> {
    readers: Vec<SpoolReader<T>>,
    rest: std::vec::IntoIter<T>,
    heads: BinaryHeap<Reverse<(T, usize)>>,
}

impl<T: Ord + Serialize + DeserializeOwned> Sorted<T> {
    fn merge(runs: impl IntoIterator<Item = Spool<T>>, items: Vec<T>) -> Result<Self> {
        let readers = runs.into_iter().map(Spool::read).collect::<Result<Vec<_>>>()?;
        let mut sorted = Self { readers, rest: items.into_iter(), heads: BinaryHeap::new() };
        for run in 0..=sorted.readers.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }

    /// Puts the next item of a run among the heads; the run after the last file is the one in memory.
    fn refill(&mut self, run: usize) -> Result<()> {
        let next = match self.readers.get_mut(run) {
            Some(reader) => reader.next().transpose()?,
            None => self.rest.next(),
        };
        if let Some(item) = next {
            self.heads.push(Reverse((item, run)));
        }
        Ok(())
    }
}

impl<T: Ord + Serialize + DeserializeOwned> Iterator for Sorted<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((item, run)) = self.heads.pop()?;
        Some(self.refill(run).map(|()| item))
    }
}

/// Items in the order in which they were put, in an unlinked file.
#[derive(Debug)]
pub struct Spool<T> {
    file: BufWriter<File>,
    items: u64,
    kind: std::marker::PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    /// An empty spool in `directory`.
    ///
    /// # Errors
    /// If no file can be made there.
    pub fn new(directory: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(directory)
            .with_context(|| format!("failed to make a temporary file in {} (--temp-dir)", directory.display()))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), items: 0, kind: std::marker::PhantomData })
    }

    /// Appends an item.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn push(&mut self, item: &T) -> Result<()> {
        let bytes = postcard::to_stdvec(item).context("failed to encode an item")?;
        let length = u32::try_from(bytes.len())?;
        let write = |file: &mut BufWriter<File>| {
            file.write_all(&length.to_le_bytes())?;
            file.write_all(&bytes)
        };
        write(&mut self.file).context("failed to write a temporary file (--temp-dir): is the disk full?")?;
        self.items += 1;
        Ok(())
    }

    /// How many items were put.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.items
    }

    /// Whether none was put.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Reads the items back.
    ///
    /// # Errors
    /// If the file cannot be completed and rewound.
    pub fn read(self) -> Result<SpoolReader<T>> {
        let mut file = self.file.into_inner().context("failed to write a temporary file (--temp-dir)")?;
        file.seek(SeekFrom::Start(0))?;
        Ok(SpoolReader {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            left: self.items,
            kind: std::marker::PhantomData,
        })
    }
}

/// The items of a spool, read one by one.
#[derive(Debug)]
pub struct SpoolReader<T> {
    file: BufReader<File>,
    left: u64,
    kind: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned> Iterator for SpoolReader<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let read = |file: &mut BufReader<File>| {
            let mut length = [0; 4];
            file.read_exact(&mut length)?;
            let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length))?];
            file.read_exact(&mut bytes)?;
            anyhow::Ok(postcard::from_bytes(&bytes)?)
        };
        Some(read(&mut self.file).context("failed to read a temporary file back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sorted_on_disk_comes_back_whole_and_in_order() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut sorter = Sorter::with_run_bytes(directory.path(), 1000);
        let mut expected: Vec<(u32, String)> =
            (0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) % 5000, format!("{n}"))).collect();
        for item in &expected {
            sorter.push(item.clone(), 20).expect("room on disk");
        }
        let lengths: Vec<usize> = sorter.levels.iter().map(Vec::len).collect();
        assert!(lengths.len() > 2 && lengths.iter().all(|length| *length < RUNS_MAX), "{lengths:?}");
        let sorted: Vec<_> = sorter.finish().expect("a merge").map(|item| item.expect("an item")).collect();
        expected.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn a_spool_keeps_the_order_of_its_items() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut spool = Spool::new(directory.path()).expect("a file");
        assert!(spool.is_empty());
        for item in ["b", "a", ""] {
            spool.push(&item.to_owned()).expect("room on disk");
        }
        assert_eq!(spool.len(), 3);
        let read: Vec<String> = spool.read().expect("a file").map(|item| item.expect("an item")).collect();
        assert_eq!(read, ["b", "a", ""]);
    }
}
