//! Tests of the journal's files.

use tempfile::TempDir;

use super::*;
use crate::store::testing::usage_line;

const PLENTY: u64 = 1 << 30;

fn some_lines(count: i32) -> Vec<usage::Model> {
    (0..count).map(usage_line).collect()
}

fn open(dir: &TempDir) -> Journal {
    Journal::open(dir.path(), PLENTY).unwrap()
}

/// Reads everything that is to be read, as if it were posted.
fn replay_all(journal: &mut Journal, most: usize) -> Vec<usage::Model> {
    let mut all = Vec::new();
    while let Some(replay) = journal.read(most).unwrap() {
        all.extend(replay.batch.lines.iter().cloned());
        journal.replayed(&replay).unwrap();
    }
    all
}

fn files(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != LOCK)
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_posted_is_let_go_of() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let lines = some_lines(3);
    let number = journal.append(lines.iter()).unwrap();
    let on_disk = fs::metadata(dir.path().join(ACTIVE)).unwrap().len();
    assert!(on_disk > 0);
    assert_eq!(journal.bytes(), on_disk);
    journal.posted(number, 2).unwrap();
    assert_eq!(journal.bytes(), on_disk);
    journal.posted(number, 1).unwrap();
    assert_eq!(journal.bytes(), 0);
    assert_eq!(fs::metadata(dir.path().join(ACTIVE)).unwrap().len(), 0);
    assert!(journal.read(10).unwrap().is_none());
}

#[test]
fn what_is_left_is_found_at_the_next_start_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let lines = some_lines(25);
    for part in lines.chunks(10) {
        open(&dir).append(part.iter()).unwrap();
    }
    let mut journal = open(&dir);
    assert_eq!(files(&dir).len(), 4);
    assert_eq!(replay_all(&mut journal, 4), lines);
    assert_eq!(files(&dir), [ACTIVE]);
    assert_eq!(journal.bytes(), 0);
}

#[test]
fn a_torn_last_line_is_passed_over() {
    let lines = some_lines(3);
    let mut whole = Vec::new();
    for line in &lines {
        line::encode(line, &mut whole);
    }
    let mut two = Vec::new();
    lines[..2].iter().for_each(|l| line::encode(l, &mut two));
    for cut in two.len()..whole.len() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(ACTIVE), &whole[..cut]).unwrap();
        let mut journal = open(&dir);
        assert_eq!(replay_all(&mut journal, 10), lines[..2], "cut at {cut}");
        assert_eq!(files(&dir), [ACTIVE], "cut at {cut}");
    }
}

#[test]
fn damage_in_the_middle_costs_its_lines_only_and_the_file_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let lines = some_lines(5);
    let mut text = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let start = text.len();
        line::encode(line, &mut text);
        if i == 2 {
            text[start + 40] ^= 1;
        }
    }
    fs::write(dir.path().join(ACTIVE), &text).unwrap();
    let mut journal = open(&dir);
    let read = replay_all(&mut journal, 2);
    assert_eq!(read, [&lines[..2], &lines[3..]].concat());
    let kept = format!("{ACTIVE}.000001.damaged");
    assert_eq!(files(&dir), [ACTIVE.to_owned(), kept.clone()]);
    assert_eq!(fs::read(dir.path().join(kept)).unwrap(), text);
    drop(journal);
    assert!(
        open(&dir).read(10).unwrap().is_none(),
        "it is not read again"
    );
}

#[test]
fn lines_that_memory_forgot_are_read_again_and_the_others_are_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let lines = some_lines(10);
    let number = journal.append(lines.iter()).unwrap();
    journal.forgotten(number, 4);
    assert_eq!(replay_all(&mut journal, 3), lines);
    assert_eq!(files(&dir).len(), 2, "six lines are still on their way");
    assert_ne!(journal.append(lines[..1].iter()).unwrap(), number);
    journal.posted(number, 6).unwrap();
    assert_eq!(files(&dir), [ACTIVE]);
}

#[test]
fn a_full_segment_is_followed_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let mut line = usage_line(1);
    line.raw = Some("x".repeat(500_000));
    let numbers: Vec<u64> = (0..80)
        .map(|_| journal.append([&line].into_iter()).unwrap())
        .collect();
    assert_eq!(files(&dir).len(), 3);
    assert!(journal.bytes() > 2 * SEGMENT_BYTES);
    for number in numbers {
        journal.posted(number, 1).unwrap();
    }
    assert_eq!(files(&dir), [ACTIVE]);
    assert_eq!(journal.bytes(), 0);
}

#[test]
fn at_its_bound_it_refuses_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), 1500).unwrap();
    let lines = some_lines(2);
    let number = journal.append(lines.iter()).unwrap();
    let error = journal.append(lines.iter()).unwrap_err().to_string();
    assert!(error.contains("bound of 1500 bytes"), "{error}");
    journal.posted(number, 2).unwrap();
    journal.append(lines.iter()).unwrap();
}

#[test]
fn a_write_that_fails_half_way_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(&dir);
    let lines = some_lines(2);
    journal.append(lines[..1].iter()).unwrap();
    // A file that can only be read stands for a disk that takes nothing.
    let path = dir.path().join(ACTIVE);
    private()
        .open(&path)
        .unwrap()
        .write_all(b"0123abcd {\"id\"")
        .unwrap();
    journal.file = File::open(&path).unwrap();
    assert!(journal.append(lines[1..].iter()).is_err());
    journal.append(lines[1..].iter()).unwrap();
    drop(journal);
    assert_eq!(replay_all(&mut open(&dir), 10), lines);
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(&dir);
    let error = Journal::open(dir.path(), PLENTY).unwrap_err().to_string();
    assert!(error.contains("another gateway is using"), "{error}");
    drop(journal);
    open(&dir);
}
