//! Sets of factors as machine words, as the whole compiler numbers them: bit `i` is factor `i` of the catalog, and
//! the top bit stands for all factors outside it.

use cranelift_entity::EntityRef;

use super::policy::{Catalog, FactorId};

/// A set of factors.
pub type FactorMask = u64;

/// The bit of the factors outside the catalog.
pub const OTHER_FACTOR: FactorMask = 1 << 63;

/// Every factor that a catalog may hold.
pub const ALL_FACTORS: FactorMask = !OTHER_FACTOR;

/// The bit of a factor.
pub fn bit(factor: FactorId) -> FactorMask {
    1 << (factor.index() & 63)
}

/// The factors of a set, in the catalog's order.
pub fn factors(catalog: &Catalog, mask: FactorMask) -> impl Iterator<Item = FactorId> + '_ {
    catalog.factors.keys().filter(move |factor| mask & bit(*factor) != 0)
}
