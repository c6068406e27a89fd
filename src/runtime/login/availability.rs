//! Which factors can be used in a login, beside those that the user has: what the tenant has enabled and what the
//! browser supports.

use std::sync::Arc;

use thiserror::Error;

use crate::check::masks::bit;
use crate::lower::layout::Layout;

/// The factors that a login may use, for one policy. Made once and reused, or made anew for each browser.
#[derive(Clone, Debug)]
pub struct Availability {
    pub(super) layout: Arc<Layout>,
    pub(super) enabled: u64,
    pub(super) supported: u64,
}

/// A factor that the policy's catalog doesn't have.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("the catalog has no factor `{name}`")]
pub struct UnknownFactor {
    /// The name.
    pub name: String,
}

impl Availability {
    pub(crate) fn new(layout: &Arc<Layout>, enabled: u64) -> Self {
        Availability { layout: Arc::clone(layout), enabled, supported: u64::MAX }
    }

    /// Only these factors are enabled in the tenant.
    ///
    /// # Errors
    /// When the catalog lacks one.
    pub fn enable_only(mut self, factors: &[&str]) -> Result<Self, UnknownFactor> {
        self.enabled = self.mask(factors)?;
        Ok(self)
    }

    /// Only these factors are supported by the user's browser.
    ///
    /// # Errors
    /// When the catalog lacks one.
    pub fn support_only(mut self, factors: &[&str]) -> Result<Self, UnknownFactor> {
        self.supported = self.mask(factors)?;
        Ok(self)
    }

    /// The user's browser doesn't support these factors.
    ///
    /// # Errors
    /// When the catalog lacks one.
    pub fn without_support(mut self, factors: &[&str]) -> Result<Self, UnknownFactor> {
        self.supported &= !self.mask(factors)?;
        Ok(self)
    }

    fn mask(&self, factors: &[&str]) -> Result<u64, UnknownFactor> {
        factors.iter().try_fold(0, |mask, name| {
            let factor = self.layout.catalog.find(name);
            let factor = factor.ok_or_else(|| UnknownFactor { name: (*name).to_owned() })?;
            Ok(mask | bit(factor))
        })
    }
}
