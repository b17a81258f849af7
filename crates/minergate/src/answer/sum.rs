//! Decimal sums of coins. Sums of doubles have rounding errors, such as 0.1 + 0.2 = 0.30000000000000004.

use rust_decimal::Decimal;

use super::Number;

/// An exact sum of amounts. It is unknown if an amount is missing or too large, because a partial sum would be a
/// wrong number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sum(Option<Decimal>);

impl Default for Sum {
    fn default() -> Self {
        Sum(Some(Decimal::ZERO))
    }
}

impl Sum {
    pub(crate) fn add(&mut self, amount: Number) {
        self.0 = self.0.zip(amount.decimal()).and_then(|(sum, amount)| sum.checked_add(amount));
    }
}

impl From<Sum> for Option<f64> {
    /// The nearest double.
    fn from(Sum(sum): Sum) -> Self {
        sum?.to_string().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(amounts: impl IntoIterator<Item = Number>) -> Option<f64> {
        let mut sum = Sum::default();
        amounts.into_iter().for_each(|amount| sum.add(amount));
        sum.into()
    }

    #[test]
    fn a_sum_has_the_digits_of_its_parts() {
        for (amounts, expected) in [
            (&[][..], Some(0.0)),
            (&[0.1, 0.2], Some(0.3)),
            (&[400.1, 20.031_148_999, 0.000_000_001], Some(420.131_149)),
            (&[0.3, -0.1], Some(0.2)),
            (&[1e-12, 1e15], Some(1_000_000_000_000_000.0)),
            (&[1e300], None),
            (&[7e28, 7e28], None),
        ] {
            assert_eq!(sum(amounts.iter().map(|amount| Number::from(*amount))), expected, "{amounts:?}");
        }
        assert_eq!(sum([Number::from(1.0), Number::default()]), None, "one amount is missing");
    }

    proptest! {
        /// The sum is the same as that of whole numbers of smallest units.
        #[test]
        fn a_sum_is_that_of_the_smallest_units(units in prop::collection::vec(0..10_u128.pow(15), 1..50), decimals in 0..=12_u8) {
            let all = Number::of_units(units.iter().sum(), decimals);
            let exact = units.iter().map(|units| Number::of_units(*units, decimals));
            prop_assert_eq!(sum(exact.clone()), all.get());
            // The same with doubles, as JSON has them.
            prop_assert_eq!(sum(exact.map(|amount| amount.get().unwrap().into())), all.get());
        }
    }
}
