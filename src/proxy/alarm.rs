//! A deadline that moves often and rings seldom.
//!
//! A stream puts its deadline off at every chunk. Moving a timer costs a lock in the runtime each time, so the alarm only notes
//! the new time; the timer is looked at when it fires, and set again if it fired early.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// One deadline, or none.
#[derive(Default)]
pub struct Alarm {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

// === impl Alarm ===

impl Alarm {
    /// Rings at this time; never when there is none.
    pub fn set(&mut self, at: Option<Instant>) {
        self.at = at;
    }

    /// Ready when it rings. It goes on ringing until it is set again.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        loop {
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(sleep_until(at.into())));
            if timer.deadline().into_std() > at {
                timer.as_mut().reset(at.into());
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_rings_at_the_last_time_it_was_set_to() {
        let begun = Instant::now();
        let ms = |n| Some(begun + Duration::from_millis(n));
        let mut alarm = Alarm::default();
        alarm.set(ms(20));
        assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx))).await.is_pending());
        alarm.set(ms(60));
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!(begun.elapsed() >= Duration::from_millis(60));
        alarm.set(ms(5000));
        assert!(poll_fn(|cx| Poll::Ready(alarm.poll(cx))).await.is_pending());
        alarm.set(ms(80));
        poll_fn(|cx| alarm.poll(cx)).await;
        assert!(begun.elapsed() < Duration::from_secs(4));
    }
}
