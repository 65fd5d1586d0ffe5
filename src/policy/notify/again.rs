//! When a message that was not taken is sent again.

use std::time::Duration;

/// Attempts at one message. With the pauses between them it is given up after three quarters of an hour.
pub const ATTEMPTS: i32 = 7;
/// The pauses, in seconds.
const PAUSES: [u64; 6] = [1, 5, 30, 120, 600, 1_800];
/// No platform's word is taken for longer than this.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The pause after the `attempts`th attempt, counted from 1; none when it was the last. Up to a fifth is added, by `roll` from 0 to 1, so that
/// messages that failed together do not come back together. A platform that asks for a longer pause gets it.
#[must_use]
pub fn pause(attempts: i32, asked: Option<Duration>, roll: f64) -> Option<Duration> {
    let index = usize::try_from(attempts - 1).ok()?;
    let pause = Duration::from_secs(*PAUSES.get(index)?);
    let pause = pause.mul_f64(1.0 + roll.clamp(0.0, 1.0) / 5.0);
    Some(pause.max(asked.unwrap_or_default().min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut before = Duration::ZERO;
        for attempts in 1..ATTEMPTS {
            let least = pause(attempts, None, 0.0).unwrap();
            let most = pause(attempts, None, 1.0).unwrap();
            assert!(before < least && least < most && most <= least * 2);
            before = most;
        }
        assert_eq!(pause(ATTEMPTS, None, 0.0), None);
        assert_eq!(pause(0, None, 0.0), None);
    }

    #[test]
    fn a_platform_gets_the_pause_it_asks_for() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(1, asked(40), 0.0), asked(40));
        assert_eq!(pause(1, asked(0), 0.0), asked(1));
        assert_eq!(pause(1, asked(1_000_000), 0.0), Some(LONGEST));
        assert_eq!(pause(ATTEMPTS, asked(1), 0.0), None);
    }
}
