//! The picture of a start: the pages of the file in their order, and those that a start touches until next.

use svg::Document;
use svg::node::element::{Rectangle, Text, Title};

use crate::layer::PAGE_BYTES;

use super::pages::Pages;

const COLUMNS: u64 = 32;
const CELL: u64 = 36;
const MARGIN: u64 = 16;
const TOP: u64 = 52;

const TOUCHED: &str = "#f6b73c";
const UNTOUCHED: &str = "#e3e6ea";

/// `program_bytes`: of the file that they are pages of.
pub(crate) fn draw(pages: &Pages, program_bytes: u64) -> String {
    let all = program_bytes.div_ceil(PAGE_BYTES);
    let rows = all.div_ceil(COLUMNS);
    let (width, height) = (2 * MARGIN + COLUMNS * CELL, TOP + rows * CELL + MARGIN);
    let headline = format!(
        "{} of {all} pages of the file are touched until next, and {} of memory of its own",
        pages.file.len(),
        pages.writable.len()
    );
    let mut picture = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("role", "img")
        .add(Title::new(headline.as_str()))
        .add(
            Rectangle::new()
                .set("width", width)
                .set("height", height)
                .set("fill", "#ffffff"),
        )
        .add(
            Text::new(headline)
                .set("x", MARGIN)
                .set("y", 32)
                .set("font-family", "sans-serif")
                .set("font-size", 17)
                .set("fill", "#222222"),
        );
    for page in 0..all {
        let colour = if pages.file.contains(&page) {
            TOUCHED
        } else {
            UNTOUCHED
        };
        picture = picture.add(
            Rectangle::new()
                .set("x", MARGIN + page % COLUMNS * CELL)
                .set("y", TOP + page / COLUMNS * CELL)
                .set("width", CELL - 4)
                .set("height", CELL - 4)
                .set("rx", 3)
                .set("fill", colour),
        );
    }
    format!("{picture}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_its_place_and_colour() {
        let pages = Pages {
            file: [0, 33].into(),
            ..Pages::default()
        };
        let picture = draw(&pages, 34 * 4096 - 1);
        assert_eq!(picture.matches(TOUCHED).count(), 2);
        assert_eq!(picture.matches(UNTOUCHED).count(), 32);
        assert!(picture.contains("2 of 34 pages"));
    }
}
