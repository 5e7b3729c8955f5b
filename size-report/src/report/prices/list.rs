//! The price list as a table of the report.

use super::{DEFAULT, Priced, Prices};
use crate::report::budget::Budget;
use crate::report::numbers::{grouped, share};

/// A row for each set and each feature; a share is of the default.
pub(crate) fn render(prices: &Prices, budget: &Budget) -> String {
    let mut table =
        "| feature | x86_64 | share | arm64 | share | budget |\n|---|--:|--:|--:|--:|--:|\n"
            .to_string();
    let default = prices.of(DEFAULT);
    for (Priced { name, bytes }, sign) in prices.rows() {
        let budget = budget.set(&name).map(grouped).unwrap_or_default();
        table += &format!(
            "| {name} | {sign}{} | {} | {sign}{} | {} | {budget} |\n",
            grouped(bytes[0]),
            share(bytes[0], default[0]),
            grouped(bytes[1]),
            share(bytes[1], default[1])
        );
    }
    table
        + "\nA feature's price is what the smallest layer has more with it alone: what two of them share counts for both. \
           `cargo layer --no-default-features --features …` builds any set.\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::prices::example;

    #[test]
    fn each_set_and_feature_has_a_row() {
        let budget = toml::from_str(
            "[layer]\nprogram_bytes = 262_144\nzip_bytes = 1\n[sets]\nsmallest = 204_800\nfull = 294_912\n[crate]\n",
        );
        let text = render(&example(), &budget.unwrap());
        for row in [
            "| smallest | 200,000 | 86.2 % | 190,000 | 87.2 % | 204,800 |",
            "| json | +7,000 | 3.0 % | +5,000 | 2.3 % |  |",
            "| default | 232,000 | 100.0 % | 218,000 | 100.0 % | 262,144 |",
            "| full | 232,000 | 100.0 % | 218,000 | 100.0 % | 294,912 |",
        ] {
            assert!(text.contains(row), "{row} in {text}");
        }
    }
}
