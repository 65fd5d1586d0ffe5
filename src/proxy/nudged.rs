//! A future that is polled again at once where it has woken itself.
//!
//! The two halves of Pingora's proxying, client to upstream and back, talk through channels, and both are one future. So it wakes its own
//! task in the middle of being polled: every piece of an answer does. Left to the runtime, the task is put at the end of the queue, another thread
//! is woken that might want it, and the whole way down to the subrequest is walked anew. Here such a wake-up ends at the future's own
//! door: it is polled again, and the task hears only of what comes from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

/// The future, and who is told when it can go on.
pub struct Nudged<F> {
    future: F,
    nudge: Arc<Nudge>,
    waker: Waker,
}

#[derive(Default)]
struct Nudge {
    state: AtomicU8,
    task: Mutex<Option<Waker>>,
}

/// It is being polled now.
const POLLED: u8 = 1;
/// It was woken since it was last polled.
const WOKEN: u8 = 2;
/// Polls in a row. One that still wakes itself then is put at the end of the queue like any other: the runtime makes tasks that had their
/// share pause this way.
const MOST: usize = 8;

// === impl Nudged ===

impl<F: Future + Unpin> Nudged<F> {
    /// Nobody waits for it yet.
    pub fn new(future: F) -> Self {
        let nudge = Arc::new(Nudge::default());
        let waker = Waker::from(nudge.clone());
        Self {
            future,
            nudge,
            waker,
        }
    }

    /// As a future's own; it must not be polled when it is through.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.nudge.wakes(cx.waker());
        let mut inner = Context::from_waker(&self.waker);
        for _ in 0..MOST {
            self.nudge.state.store(POLLED, Ordering::Release);
            let poll = std::pin::Pin::new(&mut self.future).poll(&mut inner);
            if poll.is_ready() || self.nudge.rests() {
                return poll;
            }
        }
        self.nudge.state.store(0, Ordering::Release);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

// === impl Nudge ===

impl Nudge {
    /// This task is woken from now on.
    fn wakes(&self, waker: &Waker) {
        let mut task = self.task.lock();
        match &mut *task {
            Some(known) => known.clone_from(waker),
            None => *task = Some(waker.clone()),
        }
    }

    /// Ends the poll, unless it was woken meanwhile.
    fn rests(&self) -> bool {
        self.state
            .compare_exchange(POLLED, 0, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) & POLLED != 0 {
            return;
        }
        if let Some(task) = &*self.task.lock() {
            task.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_wakes_itself_is_polled_on_and_its_task_does_not_hear_of_it() {
        let mut polls = 0;
        let mut nudged = Nudged::new(poll_fn(move |cx| {
            polls += 1;
            if polls < 4 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(polls)
        }));
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        assert_eq!(
            nudged.poll(&mut Context::from_waker(&waker)),
            Poll::Ready(4)
        );
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_never_stops_waking_itself_lets_others_go_first() {
        let mut nudged = Nudged::new(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        assert!(nudged.poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_comes_from_outside_wakes_the_task_that_polled_last() {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut nudged = Nudged::new(receiver);
        let first = Waker::from(Arc::new(Count::default()));
        assert!(nudged.poll(&mut Context::from_waker(&first)).is_pending());
        let waiting = tokio::spawn(async move { poll_fn(|cx| nudged.poll(cx)).await });
        tokio::task::yield_now().await;
        sender.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
