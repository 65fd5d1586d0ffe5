//! Notices in words: a title and the lines below it, in English or Chinese, without any platform's marks.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::value::{NoticeKind, NoticeLanguage};

use super::{Item, Notice, Report, Share};

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Its first line.
    pub title: String,
    /// The lines below.
    pub lines: Vec<String>,
}

/// Says what differs between the languages.
struct Speaker {
    language: NoticeLanguage,
    zone: Tz,
}

/// Puts a notice into words, times in `zone`.
#[must_use]
pub fn words(notice: &Notice, language: NoticeLanguage, zone: Tz) -> Words {
    let speaker = Speaker { language, zone };
    let mut lines: Vec<String> = notice
        .items
        .iter()
        .flat_map(|item| speaker.lines(notice.kind, item))
        .collect();
    if notice.kind == NoticeKind::Test {
        let hello = speaker.pick(
            "If you can read this, messages arrive.",
            "能看到这条消息,说明通知可以送达。",
        );
        lines.push(hello.to_owned());
    }
    if notice.more > 0 {
        lines.push(match language {
            NoticeLanguage::En => format!("and {} more", notice.more),
            NoticeLanguage::Zh => format!("另有 {} 项", notice.more),
        });
    }
    if !matches!(notice.kind, NoticeKind::DailyReport) {
        lines.push(speaker.time(notice.at));
    }
    Words {
        title: speaker.title(notice),
        lines,
    }
}

// === impl Speaker ===

impl Speaker {
    fn pick<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        match self.language {
            NoticeLanguage::En => en,
            NoticeLanguage::Zh => zh,
        }
    }

    fn time(&self, time: DateTime<Utc>) -> String {
        let time = time.with_timezone(&self.zone);
        time.format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// What happened, and to what if it is one thing.
    fn title(&self, notice: &Notice) -> String {
        let what = match notice.kind {
            NoticeKind::BreakerOpened => self.pick("Breaker opened", "熔断器已打开"),
            NoticeKind::BreakerClosed => self.pick("Breaker closed", "熔断器已恢复"),
            NoticeKind::ProviderOutOfBudget => {
                self.pick("Provider out of budget", "供应商预算已用尽")
            }
            NoticeKind::LimitNear => self.pick("Limit nearly reached", "额度即将用尽"),
            NoticeKind::UnpricedModel => self.pick("Model without a price", "模型缺少价格"),
            NoticeKind::ErrorRateJump => self.pick("Error rate jumped", "错误率突增"),
            NoticeKind::DailyReport => self.pick("Daily report", "每日报告"),
            NoticeKind::Test => self.pick("Test message", "测试消息"),
        };
        let which = match notice.items.as_slice() {
            [item] if notice.more == 0 => self.which(item),
            [] => None,
            items => Some((items.len() + notice.more).to_string()),
        };
        let head = match which {
            Some(which) => format!("{what}: {which}"),
            None => what.to_owned(),
        };
        format!("[Switchyard] {head}")
    }

    fn which(&self, item: &Item) -> Option<String> {
        match item {
            Item::Breaker {
                provider, subject, ..
            } => Some(match subject {
                Some(subject) => format!("{provider} / {subject}"),
                None => provider.clone(),
            }),
            Item::Limit { name, percent, .. } => Some(format!("{name}, {percent} %")),
            Item::Model { model, .. } => Some(model.clone()),
            Item::ErrorRate {
                provider, percent, ..
            } => Some(match provider {
                Some(provider) => format!("{provider}, {percent} %"),
                None => format!("{percent} %"),
            }),
            Item::Report(report) => Some(report.day.to_string()),
        }
    }

    fn lines(&self, kind: NoticeKind, item: &Item) -> Vec<String> {
        match item {
            Item::Breaker { .. } => vec![self.breaker(kind, item)],
            Item::Limit { .. } => vec![self.limit(item)],
            Item::Model { model, attempts } => vec![match self.language {
                NoticeLanguage::En => format!(
                    "{model}: {attempts} attempts without a price in the last hours; they cost nothing against any limit until it has one"
                ),
                NoticeLanguage::Zh => {
                    format!(
                        "{model}:最近几小时有 {attempts} 次调用没有价格,在补充价格之前不计入任何额度"
                    )
                }
            }],
            Item::ErrorRate { .. } => vec![self.error_rate(item)],
            Item::Report(report) => self.report(report),
        }
    }

    fn breaker(&self, kind: NoticeKind, item: &Item) -> String {
        let Item::Breaker {
            provider,
            scope,
            subject,
            reason,
            open_until,
        } = item
        else {
            return String::new();
        };
        let place = match (scope.as_str(), subject) {
            ("model", Some(model)) => {
                format!("{provider}, {} {model}", self.pick("model", "模型"))
            }
            (_, Some(address)) => format!("{provider}, {} {address}", self.pick("address", "地址")),
            (_, None) => provider.clone(),
        };
        if kind == NoticeKind::BreakerClosed {
            let works = self.pick("gets requests again", "重新接收请求");
            return format!("{place}: {works}");
        }
        let stopped = self.pick("gets no requests", "暂停接收请求");
        let mut line = format!("{place}: {stopped}");
        if let Some(until) = open_until {
            let until = self.time(*until);
            line = match self.language {
                NoticeLanguage::En => format!("{line} until {until}"),
                NoticeLanguage::Zh => format!("{line},直到 {until}"),
            };
        }
        match reason {
            Some(reason) => format!("{line} ({reason})"),
            None => line,
        }
    }

    fn limit(&self, item: &Item) -> String {
        let Item::Limit {
            of,
            name,
            owner,
            limit,
            spent_usd,
            limit_usd,
            percent,
            resets_at,
        } = item
        else {
            return String::new();
        };
        let of = match of.as_str() {
            "key" => self.pick("key", "密钥"),
            "user" => self.pick("user", "用户"),
            _ => self.pick("provider", "供应商"),
        };
        let owner = owner
            .as_ref()
            .map_or_else(String::new, |owner| format!(" ({owner})"));
        let window = match limit.as_str() {
            "usd_5h" => self.pick("5 hours", "5 小时"),
            "usd_day" => self.pick("the day", "每日"),
            "usd_week" => self.pick("the week", "每周"),
            "usd_month" => self.pick("the month", "每月"),
            _ => self.pick("all time", "总计"),
        };
        let line = match self.language {
            NoticeLanguage::En => format!(
                "{of} {name}{owner}: ${spent_usd} of ${limit_usd} for {window} ({percent} %)"
            ),
            NoticeLanguage::Zh => {
                format!(
                    "{of} {name}{owner}:{window}额度 ${limit_usd},已用 ${spent_usd}({percent} %)"
                )
            }
        };
        match resets_at {
            None => line,
            Some(at) => {
                let at = self.time(*at);
                match self.language {
                    NoticeLanguage::En => format!("{line}, begins anew {at}"),
                    NoticeLanguage::Zh => format!("{line},{at} 重置"),
                }
            }
        }
    }

    fn error_rate(&self, item: &Item) -> String {
        let Item::ErrorRate {
            provider,
            minutes,
            requests,
            failures,
            percent,
            percent_before,
        } = item
        else {
            return String::new();
        };
        let whose = provider
            .as_deref()
            .unwrap_or(self.pick("all requests", "全部请求"));
        match self.language {
            NoticeLanguage::En => {
                let before = percent_before.map_or_else(String::new, |before| {
                    format!(", {before} % the hour before")
                });
                format!(
                    "{whose}: {failures} of {requests} failed in {minutes} minutes ({percent} %{before})"
                )
            }
            NoticeLanguage::Zh => {
                let before = percent_before
                    .map_or_else(String::new, |before| format!(",此前一小时 {before} %"));
                format!(
                    "{whose}:{minutes} 分钟内 {requests} 个请求失败 {failures} 个({percent} %{before})"
                )
            }
        }
    }

    fn report(&self, report: &Report) -> Vec<String> {
        let Report {
            cost_usd,
            requests,
            failures,
            tokens,
            ..
        } = report;
        let mut lines = vec![match self.language {
            NoticeLanguage::En => format!(
                "${cost_usd} spent, {requests} requests, {failures} failed, {tokens} tokens"
            ),
            NoticeLanguage::Zh => {
                format!("花费 ${cost_usd},请求 {requests} 次,失败 {failures} 次,{tokens} 个 token")
            }
        }];
        for (head, shares) in [
            (self.pick("Users", "用户"), &report.users),
            (self.pick("Models", "模型"), &report.models),
            (self.pick("Providers", "供应商"), &report.providers),
        ] {
            let each = shares.iter().enumerate();
            let each: Vec<String> = each.map(|(n, share)| self.share(n + 1, share)).collect();
            if !each.is_empty() {
                lines.push(format!("{head}: {}", each.join("; ")));
            }
        }
        lines
    }

    fn share(&self, place: usize, share: &Share) -> String {
        let Share {
            name,
            cost_usd,
            requests,
        } = share;
        match self.language {
            NoticeLanguage::En => format!("{place}. {name} ${cost_usd} ({requests} requests)"),
            NoticeLanguage::Zh => format!("{place}. {name} ${cost_usd}({requests} 次)"),
        }
    }
}
