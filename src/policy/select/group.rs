//! Groups: whom a provider is for, in which tier, and whose multiplier counts.
//!
//! A caller reaches the providers of its groups, `*` reaches all. What a group says of itself (its tier at a provider, its
//! multiplier) counts for callers who name it; `*` names none and takes none away, wherever it stands in the caller's list.

use crate::domain::provider::Provider;

/// The group of providers and callers that name none.
pub const DEFAULT_GROUP: &str = "default";
/// In a caller's groups: every provider's group.
pub const ANY_GROUP: &str = "*";

/// The provider's tier for a caller of these groups: the lowest among those they share; `None` when they share none.
pub fn tier(provider: &Provider, groups: &[String]) -> Option<i32> {
    let shared = named(groups).filter(|group| is_in(provider, group));
    let tiers = shared.map(|group| {
        let own = provider.group_priorities.get(group);
        own.copied().unwrap_or(provider.priority)
    });
    tiers
        .min()
        .or_else(|| reaches_all(groups).then_some(provider.priority))
}

/// Which of the provider's groups the caller reaches it through, as an index: the first of the caller's that they share, the provider's
/// own first for `*`; `None` for a provider that names no group.
pub fn through(provider: &Provider, groups: &[String]) -> Option<usize> {
    named(groups)
        .find_map(|group| provider.groups.iter().position(|own| own == group))
        .or_else(|| (!provider.groups.is_empty()).then_some(0))
}

fn named(groups: &[String]) -> impl Iterator<Item = &str> {
    let names = groups.iter().map(String::as_str);
    names
        .filter(|group| *group != ANY_GROUP)
        .chain(groups.is_empty().then_some(DEFAULT_GROUP))
}

fn reaches_all(groups: &[String]) -> bool {
    groups.iter().any(|group| group == ANY_GROUP)
}

fn is_in(provider: &Provider, group: &str) -> bool {
    if provider.groups.is_empty() {
        group == DEFAULT_GROUP
    } else {
        provider.groups.iter().any(|own| own == group)
    }
}
