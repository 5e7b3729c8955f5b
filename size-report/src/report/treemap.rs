//! The picture of a layer: its bytes as area, crate in crate's colour, module, function. Sizes in it are rounded.

use streemap::Rect;
use svg::Document;
use svg::node::element::{Group, Rectangle, Style, Text, Title};

use super::lettering::{fitted, headline_text};
use super::numbers::grouped;
use super::palette::colour;
use super::tiles::{Tile, kilobytes, tiles};
use super::weight::Weight;

const WIDTH: f64 = 1280.0;
const HEIGHT: f64 = 900.0;
const MARGIN: f64 = 12.0;
const TOP: f64 = 44.0;
const LEGEND_ROWS: f64 = 3.0;
const LEGEND_ROW: f64 = 22.0;
const LEGEND_COLUMN: f64 = (WIDTH - 2.0 * MARGIN) / 6.0;

/// The card is white or black as the page is; the tiles are the same on both.
const STYLE: &str = "
text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1c1c22 }
.card { fill: #ffffff } .page { fill: #1c1c22 }
.tile { stroke: #ffffff; stroke-opacity: .75; stroke-width: .6 }
@media (prefers-color-scheme: dark) { .card { fill: #0d1117 } .page { fill: #e6edf3 } .tile { stroke: #0d1117 } }
";

pub(crate) fn draw(weight: &Weight) -> String {
    let groups = tiles(weight);
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH as u32, HEIGHT as u32))
        .set("role", "img")
        .add(Title::new(format!(
            "What is in kinglet's {} layer",
            weight.architecture
        )))
        .add(Style::new(STYLE))
        .add(
            Rectangle::new()
                .set("class", "card")
                .set("width", WIDTH)
                .set("height", HEIGHT)
                .set("rx", 10),
        )
        .add(
            text(
                MARGIN + 2.0,
                29.0,
                19.0,
                "page",
                format!("kinglet, {}", weight.architecture),
            )
            .set("font-weight", "bold"),
        )
        .add(
            text(
                WIDTH - MARGIN - 2.0,
                29.0,
                14.0,
                "page",
                format!("{} bytes", grouped(weight.program_bytes)),
            )
            .set("text-anchor", "end"),
        );
    let area = Rect {
        x: MARGIN,
        y: TOP,
        w: WIDTH - 2.0 * MARGIN,
        h: map_height(),
    };
    for (tile, rect) in placed(&groups, area) {
        document = document.add(draw_group(tile, rect));
    }
    for (index, tile) in groups.iter().enumerate() {
        document = document.add(legend(tile, index));
    }
    format!("{document}\n")
}

fn map_height() -> f64 {
    HEIGHT - TOP - LEGEND_ROWS * LEGEND_ROW - MARGIN - 8.0
}

fn placed(tiles: &[Tile], area: Rect<f64>) -> Vec<(&Tile, Rect<f64>)> {
    let mut placed: Vec<(&Tile, Rect<f64>)> = tiles.iter().map(|tile| (tile, area)).collect();
    streemap::squarify(
        area,
        &mut placed,
        |(tile, _)| tile.bytes as f64,
        |(_, place), rect| *place = rect,
    );
    placed
}

fn draw_group(tile: &Tile, rect: Rect<f64>) -> Group {
    let fill = colour(&tile.name);
    let rect = shrunk(rect, 1.5);
    let mut drawn = Group::new().add(boxed(rect, fill, 1.0).add(Title::new(tile.tooltip.clone())));
    let inside = match headline(&tile.name, tile.bytes, rect, 13.0) {
        Some(label) => {
            drawn = drawn.add(label.set("font-weight", "bold"));
            below(rect, 19.0)
        }
        None => rect,
    };
    let is_plain = tile.inner.len() == 1 && tile.inner.iter().all(|module| module.inner.len() == 1);
    if is_plain {
        return drawn;
    }
    for (index, (module, place)) in placed(&tile.inner, shrunk(inside, 1.5))
        .into_iter()
        .enumerate()
    {
        drawn = drawn.add(draw_module(module, place, index));
    }
    drawn
}

/// Modules of one crate lie side by side in two shades of its colour.
fn draw_module(tile: &Tile, rect: Rect<f64>, index: usize) -> Group {
    let rect = shrunk(rect, 0.8);
    let shade = if index.is_multiple_of(2) { 0.34 } else { 0.2 };
    let mut drawn =
        Group::new().add(boxed(rect, "#ffffff", shade).add(Title::new(tile.tooltip.clone())));
    let inside = match headline(&tile.name, tile.bytes, rect, 11.0) {
        Some(label) => {
            drawn = drawn.add(label.set("font-weight", 600));
            below(rect, 15.5)
        }
        None => rect,
    };
    for (item, place) in placed(&tile.inner, shrunk(inside, 0.8)) {
        drawn = drawn.add(draw_item(item, place));
    }
    drawn
}

fn draw_item(tile: &Tile, rect: Rect<f64>) -> Group {
    let drawn = Group::new()
        .add(Title::new(tile.tooltip.clone()))
        .add(boxed(rect, "#ffffff", 0.22).set("class", "tile"));
    let size = if rect.w * rect.h > 6000.0 { 11.0 } else { 9.0 };
    let Some(name) = fitted(&tile.name, rect.w - 5.0, size).filter(|_| rect.h >= size + 4.0) else {
        return drawn;
    };
    let middle = rect.y + rect.h / 2.0;
    let is_tall = rect.h >= 2.0 * size + 8.0;
    let y = middle + if is_tall { -1.0 } else { size * 0.36 };
    let x = rect.x + rect.w / 2.0;
    let drawn = drawn.add(text(x, y, size, "", name).set("text-anchor", "middle"));
    if !is_tall {
        return drawn;
    }
    let bytes = text(x, middle + size, size - 1.0, "", kilobytes(tile.bytes));
    drawn.add(bytes.set("text-anchor", "middle").set("fill-opacity", 0.65))
}

/// Name and bytes at the top of a rectangle, if it is large enough.
fn headline(name: &str, bytes: u64, rect: Rect<f64>, size: f64) -> Option<Text> {
    if name.is_empty() || rect.h < 3.2 * size {
        return None;
    }
    let label = headline_text(name, &kilobytes(bytes), rect.w - 8.0, size)?;
    Some(text(rect.x + 4.0, rect.y + size + 1.0, size, "", label))
}

fn legend(tile: &Tile, index: usize) -> Group {
    let (row, column) = (index / 6, index % 6);
    if row as f64 >= LEGEND_ROWS {
        return Group::new();
    }
    let x = MARGIN + column as f64 * LEGEND_COLUMN;
    let y = TOP + map_height() + 12.0 + row as f64 * LEGEND_ROW;
    let mark = Rect {
        x,
        y,
        w: 13.0,
        h: 13.0,
    };
    let label = format!("{} {}", tile.name, kilobytes(tile.bytes));
    Group::new()
        .add(boxed(mark, colour(&tile.name), 1.0))
        .add(text(x + 19.0, y + 11.0, 12.5, "page", label))
}

fn boxed(rect: Rect<f64>, fill: &str, opacity: f64) -> Rectangle {
    let drawn = Rectangle::new()
        .set("x", rounded(rect.x))
        .set("y", rounded(rect.y))
        .set("width", rounded(rect.w))
        .set("height", rounded(rect.h))
        .set("fill", fill);
    if opacity < 1.0 {
        drawn.set("fill-opacity", opacity)
    } else {
        drawn.set("rx", 2)
    }
}

fn text(x: f64, y: f64, size: f64, class: &str, content: String) -> Text {
    let text = Text::new(content)
        .set("x", rounded(x))
        .set("y", rounded(y))
        .set("font-size", size);
    if class.is_empty() {
        text
    } else {
        text.set("class", class)
    }
}

fn shrunk(rect: Rect<f64>, by: f64) -> Rect<f64> {
    Rect {
        x: rect.x + by,
        y: rect.y + by,
        w: (rect.w - 2.0 * by).max(0.0),
        h: (rect.h - 2.0 * by).max(0.0),
    }
}

fn below(rect: Rect<f64>, headline: f64) -> Rect<f64> {
    Rect {
        y: rect.y + headline,
        h: (rect.h - headline).max(0.0),
        ..rect
    }
}

/// A tenth of a pixel is enough, and keeps the file small and the same everywhere.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
