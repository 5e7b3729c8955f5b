//! The price list as a picture: a bar for each architecture, the smallest layer first, then each feature, and the budgets as lines.
//!
//! Bytes are rounded to a tenth of a kilobyte, so that the picture changes only where something is to be seen.

use svg::Document;
use svg::node::element::{Line, Rectangle, Text};

use super::{DEFAULT, FULL, Prices, SMALLEST};
use crate::layer::Architecture;
use crate::report::budget::Budget;

const WIDTH: f64 = 1280.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 60.0;
const BAR: f64 = 56.0;
const GAP: f64 = 22.0;

/// Of the smallest, then of features in their order, again from the first after the last.
const COLOURS: [&str; 7] = [
    "#f6b73c", "#8fb8de", "#a8d5ba", "#e8927c", "#c9b1e4", "#b9b37a", "#9ad0d6",
];

pub(crate) fn draw(prices: &Prices, budget: &Budget) -> String {
    let budgets = [SMALLEST, DEFAULT, FULL].map(|name| (name, budget.set(name).unwrap_or(0)));
    let most = budgets.iter().map(|(_, bytes)| *bytes).max();
    let most = most.into_iter().chain(prices.of(FULL)).max().unwrap_or(1);
    let x = |bytes: u64| LEFT + (WIDTH - LEFT - RIGHT) * bytes as f64 / most.max(1) as f64;
    let bottom = TOP + 2.0 * (BAR + GAP);
    let mut picture = Document::new()
        .set("viewBox", (0, 0, WIDTH as u32, (bottom + 30.0) as u32))
        .set("font-family", "sans-serif")
        .set("font-size", 15)
        .add(
            Rectangle::new()
                .set("width", "100%")
                .set("height", "100%")
                .set("fill", "#ffffff"),
        );
    for (place, architecture) in Architecture::ALL.into_iter().enumerate() {
        let y = TOP + place as f64 * (BAR + GAP);
        picture = picture.add(label(architecture.name(), 8.0, y + BAR / 2.0 + 5.0));
        let smallest = (SMALLEST.to_string(), prices.of(SMALLEST)[place]);
        let features = prices
            .features()
            .map(|priced| (priced.name, priced.bytes[place]));
        let mut from = 0;
        for ((name, bytes), colour) in [smallest]
            .into_iter()
            .chain(features)
            .zip(COLOURS.iter().cycle())
        {
            let bytes = rounded(bytes);
            let width = x(from + bytes) - x(from);
            picture = picture.add(
                Rectangle::new()
                    .set("x", tenths(x(from)))
                    .set("y", y)
                    .set("width", tenths(width))
                    .set("height", BAR)
                    .set("fill", *colour)
                    .set("stroke", "#ffffff"),
            );
            let kilobytes = format!("{:.1} kB", bytes as f64 / 1000.0);
            for (row, text) in [name, kilobytes].into_iter().enumerate() {
                // What is narrower than its name is read in the table.
                if width > 9.0 * text.len() as f64 {
                    let at = y + 24.0 + 19.0 * row as f64;
                    picture = picture.add(label(&text, x(from) + 6.0, at));
                }
            }
            from += bytes;
        }
    }
    for (name, bytes) in budgets {
        let at = tenths(x(bytes));
        picture = picture
            .add(
                Line::new()
                    .set("x1", at)
                    .set("x2", at)
                    .set("y1", TOP - 12.0)
                    .set("y2", bottom)
                    .set("stroke", "#c0392b")
                    .set("stroke-dasharray", "5 4"),
            )
            .add(
                label(&format!("budget, {name}"), at, TOP - 20.0)
                    .set("text-anchor", "end")
                    .set("fill", "#c0392b"),
            );
    }
    format!("{picture}\n")
}

fn label(text: &str, x: f64, y: f64) -> Text {
    Text::new(text)
        .set("x", tenths(x))
        .set("y", y)
        .set("fill", "#222222")
}

/// To a hundred bytes.
const fn rounded(bytes: u64) -> u64 {
    (bytes + 50) / 100 * 100
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::prices::example;

    #[test]
    fn a_few_bytes_do_not_change_the_picture() {
        let budget: Budget = toml::from_str(
            "[layer]\nprogram_bytes = 262_144\nzip_bytes = 1\n[sets]\nsmallest = 204_800\nfull = 294_912\n[crate]\n",
        )
        .unwrap();
        let mut prices = example();
        let picture = draw(&prices, &budget);
        assert!(picture.contains("metrics") && picture.contains("26.0 kB"));
        prices.0[0].bytes[0] += 30;
        prices.0[2].bytes[0] += 30;
        assert_eq!(draw(&prices, &budget), picture);
        prices.0[2].bytes[0] += 3_000;
        assert_ne!(draw(&prices, &budget), picture);
    }
}
