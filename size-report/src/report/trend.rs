//! The history as a picture: both programs and both zips, and how much room is left.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::budget::LayerBudget;
use super::history::{Entry, History};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 420;

/// One line of the picture: what it is called, its colour, and which size it shows.
type Series = (&'static str, RGBColor, fn(&Entry) -> u64);

const SERIES: [Series; 4] = [
    ("program, x86_64", RGBColor(0xd9, 0x8b, 0x00), |entry| {
        entry.x86_64
    }),
    ("program, arm64", RGBColor(0x3b, 0x78, 0xc2), |entry| {
        entry.arm64
    }),
    ("zip, x86_64", RGBColor(0xf2, 0xc5, 0x6b), |entry| {
        entry.x86_64_zip
    }),
    ("zip, arm64", RGBColor(0x8f, 0xb8, 0xde), |entry| {
        entry.arm64_zip
    }),
];

pub(crate) fn draw(history: &History, budget: &LayerBudget) -> Result<String> {
    let mut picture = String::new();
    plot(history, budget, &mut picture).map_err(|error| anyhow!("no trend: {error}"))?;
    Ok(picture)
}

fn plot(
    history: &History,
    budget: &LayerBudget,
    picture: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let entries = &history.entries;
    let highest = entries
        .iter()
        .flat_map(Entry::sizes)
        .max()
        .unwrap_or_default();
    let top = highest.max(budget.program_bytes) as f64 / 1024.0 * 1.06;
    let last = entries.len().saturating_sub(1).max(1) as f64;
    let area = SVGBackend::with_string(picture, (WIDTH, HEIGHT)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .margin_right(56)
        .x_label_area_size(34)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last, 0.0..top)?;
    let date = |at: &f64| {
        let is_entry = at.fract().abs() < 1e-9;
        let entry = is_entry.then(|| entries.get(*at as usize)).flatten();
        entry.map(|entry| entry.date.clone()).unwrap_or_default()
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(entries.len().clamp(2, 10))
        .x_label_formatter(&date)
        .y_label_formatter(&|kib| format!("{kib:.0} KiB"))
        .light_line_style(WHITE)
        .label_style(("sans-serif", 14))
        .draw()?;
    for (name, bytes) in [
        ("budget of a program", budget.program_bytes),
        ("budget of a zip", budget.zip_bytes),
    ] {
        let kib = bytes as f64 / 1024.0;
        let style = RED.mix(0.45).stroke_width(1);
        chart
            .draw_series(LineSeries::new([(0.0, kib), (last, kib)], style))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    for (name, colour, bytes) in SERIES {
        let points: Vec<(f64, f64)> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (index as f64, bytes(entry) as f64 / 1024.0))
            .collect();
        let line = LineSeries::new(points, colour.stroke_width(3)).point_size(4);
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
