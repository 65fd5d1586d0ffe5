//! How long to wait before the same provider is tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::RETRY_AFTER;

/// An upstream that wants a longer pause is not tried again for this request: another provider may answer at once.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// No upstream's word is taken for longer than this.
const LONGEST: Duration = Duration::from_secs(60 * 60);
const FIRST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(2);

/// How long the upstream asks to be left alone: of `retry-after-ms` and `retry-after`, which is a number of seconds or a date. At
/// most an hour; a date that has passed is zero, nonsense is nothing.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let wait = text("retry-after-ms")
        .and_then(|ms| seconds(ms, 1000.0))
        .or_else(|| {
            let value = text(RETRY_AFTER.as_str())?;
            seconds(value, 1.0).or_else(|| until(value, now))
        })?;
    Some(wait.min(LONGEST))
}

/// The pause before the same provider is tried for the `retries`th time again, from 0; `None` when it is not to be tried again.
///
/// It doubles from 100 ms to 2 s, of which a random part of up to a half is left out, so that requests that failed together do
/// not come back together; `roll` is a number from 0 to 1. An upstream that asked for a longer pause gets it up to
/// [`PATIENCE`].
#[must_use]
pub fn pause(retries: u32, retry_after: Option<Duration>, roll: f64) -> Option<Duration> {
    let asked = retry_after.unwrap_or_default();
    if asked > PATIENCE {
        return None;
    }
    let whole = FIRST.saturating_mul(1 << retries.min(8)).min(MOST);
    let pause = whole.mul_f64(1.0 - roll.clamp(0.0, 1.0) / 2.0);
    Some(pause.max(asked))
}

/// A number of units, of which `unit` make a second.
fn seconds(value: &str, unit: f64) -> Option<Duration> {
    let number: f64 = value.parse().ok()?;
    let seconds = number / unit;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

fn until(date: &str, now: DateTime<Utc>) -> Option<Duration> {
    let then = DateTime::parse_from_rfc2822(date).ok()?;
    Some((then.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        let now = DateTime::parse_from_rfc3339("2026-01-05T10:00:00Z").unwrap();
        retry_after(&headers, now.to_utc())
    }

    #[test]
    fn every_form_of_retry_after_is_read() {
        for (value, millis) in [
            ("0", Some(0)),
            ("7", Some(7000)),
            (" 1.5 ", Some(1500)),
            ("999999", Some(3_600_000)),
            ("inf", Some(3_600_000)),
            ("Mon, 05 Jan 2026 10:00:30 GMT", Some(30_000)),
            ("Mon, 05 Jan 2026 09:00:00 GMT", Some(0)),
            ("Tue, 05 Jan 2027 10:00:00 GMT", Some(3_600_000)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            let expected = millis.map(Duration::from_millis);
            assert_eq!(read("retry-after", value), expected, "{value}");
        }
        assert_eq!(
            read("retry-after-ms", "250"),
            Some(Duration::from_millis(250))
        );
        assert_eq!(read("x-other", "250"), None);
        let mut both = HeaderMap::new();
        both.insert("retry-after", HeaderValue::from_static("2"));
        both.insert("retry-after-ms", HeaderValue::from_static("1200"));
        let now = DateTime::<Utc>::UNIX_EPOCH;
        assert_eq!(retry_after(&both, now), Some(Duration::from_millis(1200)));
        both.insert("retry-after-ms", HeaderValue::from_static("soon"));
        assert_eq!(retry_after(&both, now), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_pause_doubles_up_to_a_limit_and_varies() {
        let millis = |n, roll| pause(n, None, roll).unwrap().as_millis();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, 99].map(|n| millis(n, 0.0)),
            [100, 200, 400, 800, 1600, 2000, 2000]
        );
        assert_eq!([0, 1, 5].map(|n| millis(n, 1.0)), [50, 100, 1000]);
        assert_eq!(millis(0, 0.5), 75);
        assert_eq!([-1.0, 7.0].map(|roll| millis(0, roll)), [100, 50]);
    }

    #[test]
    fn the_upstream_is_heard_within_reason() {
        let asked = |seconds| pause(0, Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(asked(0), Some(Duration::from_millis(100)));
        assert_eq!(asked(3), Some(Duration::from_secs(3)));
        assert_eq!(asked(10), Some(PATIENCE));
        assert_eq!(asked(11), None);
    }
}
