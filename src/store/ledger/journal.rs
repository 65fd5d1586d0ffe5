//! The usage journal: files of lines that the database has not confirmed.
//!
//! `usage.journal` is the one being written. When it has grown to a segment's size, or must be read, it is renamed to
//! `usage.journal.000001` and so on, and a new one is begun: so no file is ever read and written at once. A segment is removed when each
//! of its lines is in the database; the one being written is emptied instead. For that each segment counts the lines that are on their
//! way to the database from memory (`pending`), and knows whether it must be read again because some are in memory no longer, or never
//! were, after a start (`unread`).
//!
//! A line that cannot be read is no reason to stop: at the end of a file it is what a crash left of a write that was never confirmed. In
//! the middle it is damage; the rest is read, and the file is kept beside as `….damaged` for people to look at.
//!
//! Nothing here is async: everything blocks, and is called from where that is allowed.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entity::usage;

use super::batch::Batch;
use super::line;

const ACTIVE: &str = "usage.journal";
const LOCK: &str = "usage.journal.lock";
const REJECTED: &str = "usage.rejected";
/// A file that has grown to this is not written any further.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of memory kept from one write to the next: a full group of ordinary lines.
const KEPT_TEXT: usize = 1024 * 1024;
/// No line is longer than this; more without a newline is damage.
const MAX_LINE: u64 = 1024 * 1024;

/// All segments. The last is the one being written.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    max_bytes: u64,
    file: File,
    segments: VecDeque<Segment>,
    /// What is being written, kept for its memory.
    text: Vec<u8>,
    /// Keeps other processes out for as long as this one lives.
    _lock: File,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    len: u64,
    /// Lines on their way from memory.
    pending: usize,
    /// Where reading must go on, if the segment must be read.
    unread: Option<u64>,
    is_damaged: bool,
}

/// Lines read again, and how to say that they are posted.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) batch: Arc<Batch>,
    number: u64,
    next: Option<u64>,
    damaged: usize,
}

// === impl Journal ===

impl Journal {
    /// Opens the journal of `dir`, finding what was left in it.
    pub(super) fn open(dir: &Path, max_bytes: u64) -> io::Result<Self> {
        let lock = take_lock(&dir.join(LOCK))?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            let number: Option<u64> = name
                .to_str()
                .and_then(|name| name.strip_prefix(ACTIVE)?.strip_prefix('.')?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        let mut next = numbers.last().map_or(1, |last| last + 1);
        let active = dir.join(ACTIVE);
        if fs::metadata(&active).is_ok_and(|found| found.len() > 0) {
            fs::rename(&active, segment_path(dir, next))?;
            numbers.push(next);
            next += 1;
        }
        let mut segments = VecDeque::new();
        for number in numbers {
            segments.push_back(Segment {
                number,
                len: fs::metadata(segment_path(dir, number))?.len(),
                pending: 0,
                unread: Some(0),
                is_damaged: false,
            });
        }
        let file = open_active(dir)?;
        segments.push_back(Segment::new(next));
        Ok(Self {
            dir: dir.to_owned(),
            max_bytes,
            file,
            segments,
            text: Vec::new(),
            _lock: lock,
        })
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.len).sum()
    }

    /// Writes lines and syncs them, all or none. Answers the number of their segment.
    pub(super) fn append<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a usage::Model>,
    ) -> io::Result<u64> {
        self.text.clear();
        self.text.shrink_to(KEPT_TEXT);
        let mut count = 0;
        for one in lines {
            line::encode(one, &mut self.text);
            count += 1;
        }
        let len = self.text.len() as u64;
        if self.bytes() + len > self.max_bytes {
            let what = format!("it has reached its bound of {} bytes", self.max_bytes);
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, what));
        }
        if self.active().len >= SEGMENT_BYTES {
            self.rotate()?;
        }
        let written = self
            .file
            .write_all(&self.text)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What was written of it must not stand before the next line.
            let len = self.active().len;
            if self.file.set_len(len).is_err() {
                self.active().len = fs::metadata(self.dir.join(ACTIVE)).map_or(len, |f| f.len());
                self.rotate()?;
            }
            return Err(error);
        }
        let active = self.active();
        active.len += len;
        active.pending += count;
        Ok(active.number)
    }

    /// `count` lines of a segment are in the database.
    pub(super) fn posted(&mut self, number: u64, count: usize) -> io::Result<()> {
        if let Some(segment) = self.segment(number) {
            segment.pending = segment.pending.saturating_sub(count);
        }
        self.let_go(number)
    }

    /// `count` lines of a segment are no longer in memory: it must be read.
    pub(super) fn forgotten(&mut self, number: u64, count: usize) {
        if let Some(segment) = self.segment(number) {
            segment.pending = segment.pending.saturating_sub(count);
            segment.unread = Some(0);
        }
    }

    /// Reads up to `most` lines again, oldest segment first. `None` when there is nothing to read.
    pub(super) fn read(&mut self, most: usize) -> io::Result<Option<Replay>> {
        if self.active().unread.is_some() {
            self.rotate()?;
        }
        let Some((number, from)) = self
            .segments
            .iter()
            .find_map(|segment| Some((segment.number, segment.unread?)))
        else {
            return Ok(None);
        };
        let path = segment_path(&self.dir, number);
        match read_lines(&path, from, most) {
            Ok((lines, next, damaged)) => Ok(Some(Replay {
                batch: Arc::new(Batch {
                    lines,
                    requests: Vec::new(),
                }),
                number,
                next,
                damaged,
            })),
            Err(error) => {
                // It stays for the next start; reading it again and again now would keep the others waiting.
                if let Some(segment) = self.segment(number) {
                    segment.unread = None;
                    segment.pending = usize::MAX;
                }
                let what = format!("{} cannot be read: {error}", path.display());
                Err(io::Error::new(error.kind(), what))
            }
        }
    }

    /// Lines read again are in the database.
    pub(super) fn replayed(&mut self, replay: &Replay) -> io::Result<()> {
        if let Some(segment) = self.segment(replay.number) {
            segment.unread = replay.next;
            segment.is_damaged |= replay.damaged > 0;
        }
        if replay.damaged > 0 {
            let path = segment_path(&self.dir, replay.number);
            let damaged = replay.damaged;
            tracing::error!(path = %path.display(), damaged, "lines of the usage journal are damaged; the file is kept");
        }
        self.let_go(replay.number)
    }

    /// Writes a line that the database will not have to a file for people to look at.
    pub(super) fn reject(&self, line: &usage::Model) -> io::Result<()> {
        let mut text = Vec::new();
        line::encode(line, &mut text);
        let mut file = private().open(self.dir.join(REJECTED))?;
        file.write_all(&text)?;
        file.sync_data()
    }

    /// Removes a segment, or empties it if it is the one being written, once nothing of it is needed.
    fn let_go(&mut self, number: u64) -> io::Result<()> {
        let active = self.active().number;
        let dir = self.dir.clone();
        let Some(segment) = self.segment(number) else {
            return Ok(());
        };
        if segment.pending > 0 || segment.unread.is_some() {
            return Ok(());
        }
        if number == active {
            segment.len = 0;
            return self.file.set_len(0);
        }
        let is_damaged = segment.is_damaged;
        self.segments.retain(|segment| segment.number != number);
        let path = segment_path(&dir, number);
        if is_damaged {
            let mut kept = path.clone().into_os_string();
            kept.push(".damaged");
            fs::rename(&path, kept)
        } else {
            fs::remove_file(&path)
        }
    }

    /// Begins a new file. The number of the one that was being written becomes its name.
    fn rotate(&mut self) -> io::Result<()> {
        let number = self.active().number;
        fs::rename(self.dir.join(ACTIVE), segment_path(&self.dir, number))?;
        self.file = open_active(&self.dir)?;
        self.segments.push_back(Segment::new(number + 1));
        self.let_go(number)
    }

    fn active(&mut self) -> &mut Segment {
        self.segments
            .back_mut()
            .expect("there is always one being written")
    }

    fn segment(&mut self, number: u64) -> Option<&mut Segment> {
        self.segments
            .iter_mut()
            .find(|segment| segment.number == number)
    }
}

// === impl Segment ===

impl Segment {
    fn new(number: u64) -> Self {
        Self {
            number,
            len: 0,
            pending: 0,
            unread: None,
            is_damaged: false,
        }
    }
}

fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{ACTIVE}.{number:06}"))
}

/// Up to `most` lines from `from` on; where to go on, `None` at the end; and how many lines in between are damaged.
fn read_lines(
    path: &Path,
    from: u64,
    most: usize,
) -> io::Result<(Vec<usage::Model>, Option<u64>, usize)> {
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(from))?;
    let (mut lines, mut at, mut damaged) = (Vec::new(), from, 0);
    let mut text = Vec::new();
    while lines.len() < most {
        text.clear();
        let read = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)?;
        if read == 0 {
            return Ok((lines, None, damaged));
        }
        at += read as u64;
        match line::decode(&text) {
            Some(line) => lines.push(line),
            // Torn, and nothing follows: it was never confirmed to anybody.
            None if file.fill_buf()?.is_empty() => return Ok((lines, None, damaged)),
            None => damaged += 1,
        }
    }
    Ok((lines, Some(at), damaged))
}

fn open_active(dir: &Path) -> io::Result<File> {
    let file = private().open(dir.join(ACTIVE))?;
    // The name must outlive a crash as well as what is written under it.
    File::open(dir)?.sync_all()?;
    Ok(file)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    options
}

fn take_lock(path: &Path) -> io::Result<File> {
    let file = private().open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!(
                "another gateway is using {}: each needs a data directory of its own",
                path.parent().unwrap_or(path).display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests;
