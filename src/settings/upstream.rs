//! Section `[upstream]`: the way to providers.

use std::path::PathBuf;

use super::reader::{Place, Reader};
use super::text;

/// The way to providers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// `ca_file`, `UPSTREAM_CA_FILE`: a PEM file of certificates that providers and HTTPS proxies are trusted by, beside those that the
    /// system trusts. Default none.
    pub ca_file: Option<PathBuf>,
}

// === impl Upstream ===

impl Upstream {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            ca_file: reader.read(
                Place::new("upstream.ca_file", "UPSTREAM_CA_FILE"),
                text::file,
            ),
        }
    }
}
