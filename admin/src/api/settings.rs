//! `/settings`: one typed object.

use std::sync::Arc;

use entity::{setting, value};
use poem_openapi::{Enum, Object, OpenApi, param::Header, payload::Json, types::MaybeUndefined};

use super::{
    Tag,
    answers::{ChangeRefused, ListRefused, One},
    body::{Body, Input},
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Mistake,
    service::{etag, settings},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// Which addresses a provider may have. Link-local and cloud-metadata ranges are refused under every policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum EgressPolicy {
    /// Public, private and loopback addresses.
    AllowPrivate,
    /// Public addresses only.
    PublicOnly,
}

/// The settings an admin may change while the gateway runs.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Settings {
    /// Which addresses a provider may have.
    pub egress_policy: EgressPolicy,
}

/// What changes of the settings; null puts one back to its default.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SettingsPatch {
    /// Which addresses a provider may have. Default `allow-private`.
    #[oai(nullable)]
    pub egress_policy: MaybeUndefined<EgressPolicy>,
}

#[OpenApi(prefix_path = "/api/v1/settings", tag = "Tag::Settings")]
impl Api {
    /// Read the settings
    #[oai(path = "/", method = "get", operation_id = "getSettings")]
    async fn read(&self, _caller: ForAdmin) -> Result<One<Settings>, ListRefused> {
        Ok(one(settings::read(&self.0.db).await?))
    }

    /// Change settings
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(path = "/", method = "patch", operation_id = "updateSettings")]
    async fn update(
        &self,
        _caller: ForAdmin,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<SettingsPatch>,
    ) -> Result<One<Settings>, ChangeRefused> {
        let edit = |current: &mut _| body.0.apply(current);
        let row = settings::update(&self.0, if_match.0.as_deref(), edit).await?;
        Ok(one(row))
    }
}

fn one(row: setting::Model) -> One<Settings> {
    let version = etag(row.id.into(), row.updated_at);
    let settings = Settings {
        egress_policy: row.value.egress_policy.into(),
    };
    One::Found(Json(settings), version)
}

// === impl SettingsPatch ===

impl SettingsPatch {
    fn apply(self, settings: &mut value::GatewaySettings) {
        match self.egress_policy {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => settings.egress_policy = value::EgressPolicy::default(),
            MaybeUndefined::Value(policy) => settings.egress_policy = policy.into(),
        }
    }
}

impl Input for SettingsPatch {
    type Loose = Self;

    fn rules(_loose: &Self, _out: &mut Vec<Mistake>) {}
}

// === impl EgressPolicy ===

impl From<value::EgressPolicy> for EgressPolicy {
    fn from(policy: value::EgressPolicy) -> Self {
        match policy {
            value::EgressPolicy::AllowPrivate => Self::AllowPrivate,
            value::EgressPolicy::PublicOnly => Self::PublicOnly,
        }
    }
}

impl From<EgressPolicy> for value::EgressPolicy {
    fn from(policy: EgressPolicy) -> Self {
        match policy {
            EgressPolicy::AllowPrivate => Self::AllowPrivate,
            EgressPolicy::PublicOnly => Self::PublicOnly,
        }
    }
}
