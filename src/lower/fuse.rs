//! Two tests of one word as one: `a and not b` is a mask and a value, `x >= 10 and x < 20` a range.

use crate::lower::program::Test;

/// The test that holds where both hold, if one says that.
pub(super) fn both(a: &Test, b: &Test) -> Option<Test> {
    if let (
        Test::Between { slot, low: a_low, high: a_high },
        Test::Between { slot: other, low: b_low, high: b_high },
    ) = (a, b)
    {
        let (low, high) = (*a_low.max(b_low), *a_high.min(b_high));
        return (slot == other && low <= high).then_some(Test::Between { slot: *slot, low, high });
    }
    let (Test::Masked { slot, mask: a_mask, value: a_value }, Test::Masked { slot: other, mask, value }) =
        (masked(a)?, masked(b)?)
    else {
        return None;
    };
    let agree = (a_value ^ value) & a_mask & mask == 0;
    let fused = Test::Masked { slot, mask: a_mask | mask, value: a_value | value };
    (slot == other && agree).then_some(fused)
}

/// The test that holds where one of two holds, if one says that.
pub(super) fn either(a: &Test, b: &Test) -> Option<Test> {
    negated(&both(&negated(a)?, &negated(b)?)?)
}

/// The test that holds where another doesn't, if one says that.
pub(super) fn negated(test: &Test) -> Option<Test> {
    match *test {
        Test::AnyBit { slot, mask } => Some(Test::Masked { slot, mask, value: 0 }),
        Test::Masked { slot, mask, value: 0 } => Some(Test::AnyBit { slot, mask }),
        Test::Masked { slot, mask, value } if mask.is_power_of_two() && value == mask => {
            Some(Test::Masked { slot, mask, value: 0 })
        }
        Test::Between { slot, low: i64::MIN, high } => {
            Some(Test::Between { slot, low: high.checked_add(1)?, high: i64::MAX })
        }
        Test::Between { slot, low, high: i64::MAX } => {
            Some(Test::Between { slot, low: i64::MIN, high: low.checked_sub(1)? })
        }
        _ => None,
    }
}

/// A test of bits as a mask and a value.
fn masked(test: &Test) -> Option<Test> {
    match *test {
        Test::AnyBit { slot, mask } if mask.is_power_of_two() => {
            Some(Test::Masked { slot, mask, value: mask })
        }
        Test::Masked { .. } => Some(test.clone()),
        _ => None,
    }
}
