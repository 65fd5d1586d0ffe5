//! CPU time and memory of another process, from `/proc`.
//!
//! CPU comes from `task/*/schedstat`, in nanoseconds: a round of a few thousand small requests costs some 100 ms, and the ticks of
//! `/proc/PID/stat`, 10 ms each, would round that by several percent. A thread that ends takes its number along, so the last reading of
//! every thread ever seen is kept; threads of pools end after seconds of idling, long after a reading saw their last work.

use std::collections::HashMap;
use std::fs;
use std::io::Result;
use std::ops::Sub;
use std::path::PathBuf;

/// CPU time used, in nanoseconds, in user and kernel space together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// By all threads.
    pub total: u64,
    /// By the threads whose name starts with `data`, which carry requests in the gateway.
    pub data: u64,
}

/// Reads one process.
pub struct Meter {
    tasks: PathBuf,
    status: PathBuf,
    seen: HashMap<String, Thread>,
    ended: Cpu,
}

struct Thread {
    is_data: bool,
    used: u64,
}

// === impl Cpu ===

impl Cpu {
    fn add(&mut self, thread: &Thread) {
        self.total += thread.used;
        if thread.is_data {
            self.data += thread.used;
        }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.total),
            data: self.data.saturating_sub(before.data),
        }
    }
}

// === impl Meter ===

impl Meter {
    pub fn of(process: u32) -> Self {
        let base = PathBuf::from(format!("/proc/{process}"));
        Self {
            tasks: base.join("task"),
            status: base.join("status"),
            seen: HashMap::new(),
            ended: Cpu::default(),
        }
    }

    /// CPU time since the process began.
    pub fn cpu(&mut self) -> Result<Cpu> {
        for entry in fs::read_dir(&self.tasks)? {
            let entry = entry?;
            let id = entry.file_name().to_string_lossy().into_owned();
            // A thread may end between the listing and the look at it.
            let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else {
                continue;
            };
            let used = text
                .split(' ')
                .next()
                .and_then(|ns| ns.parse().ok())
                .unwrap_or(0);
            let thread = self.seen.entry(id).or_insert_with(|| Thread {
                is_data: fs::read_to_string(entry.path().join("comm"))
                    .is_ok_and(|name| name.starts_with("data")),
                used: 0,
            });
            if used < thread.used {
                // Another thread with the number of one that ended.
                self.ended.add(thread);
            }
            thread.used = used;
        }
        let mut sum = self.ended;
        self.seen.values().for_each(|thread| sum.add(thread));
        Ok(sum)
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(&self.status)?;
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse::<u64>().ok());
        Ok(kilobytes.unwrap_or(0) * 1024)
    }
}
